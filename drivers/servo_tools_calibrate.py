# SPDX-License-Identifier: Apache-2.0
"""The homing offset that makes a joint read the angle in which a person holds it.

Present Position = encoder + Homing Offset, where Drive Mode's reverse bit mirrors the encoder and leaves the offset's
sign alone (e-Manual, Homing Offset and Drive Mode). X series: in position mode an offset beyond +-1024 is ignored,
and the encoder knows its place within one turn only, so that the joint's range must not cross the encoder's zero.
"""

import time
from dataclasses import dataclass
from statistics import median

from drivers.servo_model import ServoModel
from drivers.servo_tools import Device, RefusedError
from drivers.servo_tools_change import Change
from drivers.servo_tools_line import Sleep
from robots.robot import Joint

POSITION_MODE = 3
REVERSE = 1
SINGLE_TURN_OFFSET = 1024
SAMPLES, SAMPLE_PAUSE_S = 10, 0.05
STEADY_DEG = 0.5
"""A hand that holds a joint moves it less than this within half a second."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """One joint held in its pose; ticks are raw position units.

    Attributes:
        change: the homing offset, old and new.
        before_rad, after_rad: what the joint reads now, and will read, in this pose.
        warnings: what makes the result doubtful.
    """

    joint: Joint
    change: Change
    before_rad: float
    after_rad: float
    warnings: tuple[str, ...]


def homing_offset(present: int, target: int, old: int, mode: int, model: ServoModel) -> int:
    """New homing offset, ticks, so that ``present`` becomes ``target``.

    Args:
        present: Present Position now.
        target: what it should read.
        old: homing offset now; mode: operating mode.
        model: the servo.
    """
    if model.family != "x":
        return old + target - present
    ignored = mode == POSITION_MODE and abs(old) > SINGLE_TURN_OFFSET
    encoder = (present - (0 if ignored else old)) % model.ticks_per_revolution
    return target - encoder


def calibrate(device: Device, joint: Joint, pose_rad: float, sleep: Sleep = time.sleep) -> Calibration:
    """Look at a joint that a person holds at ``pose_rad``; writes nothing.

    Raises:
        RefusedError: torque is on, the joint is not held still, the direction differs from the robot's file, or the
            offset would be more than the servo obeys.
    """
    servo = device.model.servo
    if servo is None or device.model.name != joint.model:
        raise RefusedError(f"ID {device.id} ({joint.name}): expected {joint.model}, found {device.model.name}")
    _check_limp_and_direction(device, joint)
    present = _hold_still(device, joint, servo, sleep)
    mode, old = device.get("Operating Mode"), device.get("Homing Offset")
    target = round(pose_rad / servo.rad_per_tick) + servo.centre_ticks
    new = homing_offset(present, target, old, mode, servo)
    _check_offset(device, joint, servo, new, mode)
    change = Change(device.id, device.model.table["Homing Offset"], old, new)
    centre, unit = servo.centre_ticks, servo.rad_per_tick
    warnings = _range_warnings(joint, servo, new)
    return Calibration(joint, change, (present - centre) * unit, (target - centre) * unit, warnings)


def _check_limp_and_direction(device: Device, joint: Joint) -> None:
    if device.lock() is not None:
        raise RefusedError(
            f"{joint.name} (ID {device.id}): torque is on, so it can't be held by hand. Support the joint, then "
            f'booth servo write {device.id} "Torque Enable" 0 --apply'
        )
    if "Drive Mode" not in device.model.table:
        return
    mode = device.get("Drive Mode")
    if bool(mode & REVERSE) != joint.reverse:
        wanted = mode ^ REVERSE
        raise RefusedError(
            f"{joint.name} (ID {device.id}): the robot's file says reverse {int(joint.reverse)}, the servo has "
            f'{mode & REVERSE}: put that right first, booth servo write {device.id} "Drive Mode" {wanted} --apply'
        )


def _hold_still(device: Device, joint: Joint, servo: ServoModel, sleep: Sleep) -> int:
    ticks = []
    for _ in range(SAMPLES):
        ticks.append(device.get("Present Position"))
        sleep(SAMPLE_PAUSE_S)
    moved_deg = (max(ticks) - min(ticks)) * 360.0 / servo.ticks_per_revolution
    if moved_deg > STEADY_DEG:
        raise RefusedError(
            f"{joint.name} moved {moved_deg:.1f} degrees within {SAMPLES * SAMPLE_PAUSE_S:g} s, at most {STEADY_DEG} "
            "are allowed: hold it still and try again"
        )
    return round(median(ticks))


def _check_offset(device: Device, joint: Joint, servo: ServoModel, new: int, mode: int) -> None:
    item = device.model.table["Homing Offset"]
    degrees = new * 360.0 / servo.ticks_per_revolution
    limit = SINGLE_TURN_OFFSET if servo.family == "x" and mode == POSITION_MODE else None
    if limit is not None and abs(new) > limit:
        raise RefusedError(
            f"{joint.name} (ID {device.id}): the offset would be {new} ticks ({degrees:+.1f} degrees); in position "
            f"mode this servo ignores more than +-{limit} (+-90 degrees). Is the joint in the right pose? If so, take "
            "the horn off and mount it nearer to the servo's own zero mark"
        )
    if not item.allows(new):
        raise RefusedError(f"{joint.name} (ID {device.id}): the offset would be {new}, more than the register takes")


def _range_warnings(joint: Joint, servo: ServoModel, offset: int) -> tuple[str, ...]:
    """Whether the joint's range crosses the place where the encoder starts anew."""
    if servo.family != "x":
        return ()
    ends = [round(rad / servo.rad_per_tick) + servo.centre_ticks - offset for rad in (joint.min_rad, joint.max_rad)]
    if min(ends) >= 0 and max(ends) < servo.ticks_per_revolution:
        return ()
    return (
        f"its range is {ends[0]} … {ends[1]} on the encoder, which knows 0 … {servo.ticks_per_revolution - 1}: "
        "switched on beyond that it reads a turn wrong. Mount the horn nearer to the servo's zero mark, "
        "or always switch on near home",
    )
