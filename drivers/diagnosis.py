# SPDX-License-Identifier: Apache-2.0
"""From who is silent to what is broken: one servo, everything behind one supply, or the whole bus. Pure."""

from collections.abc import Iterable, Sequence, Set

from graph.faults import Fault, FaultCode
from robots import Robot
from robots.robot import HandController, Joint


def silent_faults(robot: Robot, silent: Set[tuple[str, int]], silent_fingers: Set[int]) -> list[Fault]:
    """What the silence of some devices means.

    Args:
        silent: (bus name, ID) of servos and hand controllers that were put aside.
        silent_fingers: indices of joints behind a hand controller whose motor does not answer.
    """
    devices: list[Joint | HandController] = [joint for joint in robot.joints if joint.controller is None]
    devices += robot.controllers
    quiet = [device for device in devices if (robot.bus_of(device), device.id) in silent]
    out: list[Fault] = []
    explained: set[int] = set()
    if len(devices) > 1 and len(quiet) == len(devices):
        return [
            Fault(
                FaultCode.BUS_SILENT,
                f"none of the {len(devices)} devices answers, the ports are open: is the robot's power on?",
                stops=True,
            )
        ]
    for branch, members in _by_branch(robot, devices).items():
        gone = [device for device in members if device in quiet]
        if len(members) > 1 and len(gone) == len(members):
            explained |= {id(device) for device in gone}
            out.append(
                Fault(
                    FaultCode.BRANCH_POWER_LOST,
                    f"{branch} has no power: none of its {len(gone)} devices answers, others do: "
                    "check its supply, fuse and plug",
                    stops=True,
                )
            )
    out += [_silent(device) for device in quiet if id(device) not in explained]
    out += [_silent(robot.joints[k]) for k in sorted(silent_fingers)]
    return out


def stopped_fault(names: Sequence[str]) -> Fault:
    """Servos that have stopped by themselves."""
    who = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Fault(
        FaultCode.SERVOS_STOPPED,
        f"{who}: stopped by themselves (bus watchdog or lost torque): was the driver too slow, or power cut? "
        "The next engage sets them up anew",
        stops=True,
    )


def _by_branch(robot: Robot, devices: Iterable[Joint | HandController]) -> dict[str, list[Joint | HandController]]:
    out: dict[str, list[Joint | HandController]] = {}
    for device in devices:
        out.setdefault(robot.branch_of(device), []).append(device)
    return out


def _silent(device: Joint | HandController) -> Fault:
    if isinstance(device, HandController):
        text = f"hand controller {device.id} does not answer: check the hand's cable and power"
    else:
        text = f"{device.name} (ID {device.id}) does not answer: check the cable before it in the chain, and its power"
    return Fault(FaultCode.SERVO_SILENT, text)
