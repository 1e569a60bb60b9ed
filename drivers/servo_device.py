# SPDX-License-Identifier: Apache-2.0
"""One servo that answers for itself: set-up, arming, units. Its cyclic traffic is `drivers.line`'s."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers import units
from drivers.bus import Bus
from drivers.control_table import ControlTable
from drivers.errors import RobotMismatchError, WatchdogError
from drivers.joint_health import Limits
from drivers.servo_block import data_address, pointers
from drivers.servo_model import ServoModel, servo_model
from graph.errors import DeviceError
from robots.robot import Joint

POSITION_MODE, CURRENT_BASED_POSITION_MODE = 3, 5
DRIVE_MODE_REVERSE, DRIVE_MODE_TIME_PROFILE, DRIVE_MODE_TORQUE_BY_GOAL = 1, 4, 8
HAIR_RAD = 0.02
"""A servo that stands this little outside of its limits, on a stop for example, holds at the limit."""
DRIVE_MODE_OURS = DRIVE_MODE_REVERSE | DRIVE_MODE_TIME_PROFILE | DRIVE_MODE_TORQUE_BY_GOAL


@dataclass(slots=True)
class ServoDevice:
    """A servo as one joint of the robot.

    Attributes:
        index: place in the robot's joint order.
        joint: its description.
        firmware: as it told at the last check.
        full_pwm: its PWM Limit, the Goal PWM that takes nothing away.
    """

    index: int
    joint: Joint
    firmware: int = 255
    full_pwm: int = 0
    _streaming_s: float = 0.01

    @property
    def id(self) -> int:
        """Servo ID."""
        return self.joint.id

    @property
    def model(self) -> ServoModel:
        """Its model."""
        return servo_model(self.joint.model)

    @property
    def table(self) -> ControlTable:
        """Registers of its firmware."""
        return self.model.table_for(self.firmware)

    @property
    def block(self) -> int:
        """Address of its first byte of indirect data."""
        return data_address(self.model, self.firmware)

    def rad(self, ticks: float) -> float:
        """Position register to joint angle, or metres of a prismatic joint."""
        return (ticks - self.model.centre_ticks) * self.rad_per_tick

    def ticks(self, position_rad: float) -> int:
        """Joint angle to the nearest value of the position register."""
        return round(position_rad / self.rad_per_tick + self.model.centre_ticks)

    @property
    def rad_per_tick(self) -> float:
        """Position unit at the joint."""
        return self.model.rad_per_tick * self.scale

    @property
    def scale(self) -> float:
        """Joint motion for one radian of the servo: 1, or metres of a prismatic joint."""
        return self.joint.metres_per_rad or 1.0

    def get(self, bus: Bus, name: str) -> int:
        """Read a register by name."""
        item = self.table[name]
        return item.decode(bus.read(self.id, item.address, item.size))

    def set(self, bus: Bus, name: str, value: int) -> None:
        """Write a register by name."""
        item = self.table[name]
        bus.write(self.id, item.address, item.encode(value))

    def calibration_problem(self, bus: Bus) -> str:
        """Direction and homing offset are a technician's work: never overwritten, but they must be the file's."""
        reverse = self.get(bus, "Drive Mode") & DRIVE_MODE_REVERSE if "Drive Mode" in self.table else 0
        found = reverse, self.get(bus, "Homing Offset") if "Homing Offset" in self.table else 0
        if found == (int(self.joint.reverse), self.joint.homing_offset_ticks):
            return ""
        return (
            f"ID {self.id} ({self.joint.name}): expected reverse {int(self.joint.reverse)}, homing offset "
            f"{self.joint.homing_offset_ticks}, found reverse {found[0]}, homing offset {found[1]}"
        )

    def prepare(self, bus: Bus, period_s: float) -> float:
        """Mode, profile and indirect addresses; the bus watchdog stays as it is.

        Torque goes off only where EEPROM must change; a robot that stands is left standing.

        Args:
            period_s: control period, for servos whose profile is given by time.

        Returns:
            measured position, rad.
        """
        changes = {}
        for name, (mask, value) in self._eeprom().items():
            if name not in self.table:
                continue  # a gripper has no Drive Mode
            found = self.get(bus, name)
            if found & mask != value:
                changes[name] = found & ~mask | value
        elsewhere = not self.points(bus)
        if changes or elsewhere:  # a P's or Y's indirect addresses are EEPROM, too
            self.set(bus, "Bus Watchdog", 0)
            self.set(bus, "Torque Enable", 0)
        for name, value in changes.items():
            self.set(bus, name, value)
        if elsewhere:
            self.point(bus)
        self._streaming_s = period_s
        self.full_pwm = self.get(bus, "PWM Limit")
        return self.rad(self.get(bus, "Present Position"))

    def limits_rad(self, bus: Bus) -> tuple[float, float]:
        """Position limits in the servo's EEPROM."""
        return self.rad(self.get(bus, "Min Position Limit")), self.rad(self.get(bus, "Max Position Limit"))

    def health_limits(self, bus: Bus) -> Limits:
        """Where it switches itself off."""
        return Limits(
            float(self.get(bus, self.model.temperature_limit_register)),
            self.get(bus, "Min Voltage Limit") * 0.1,
            self.get(bus, "Max Voltage Limit") * 0.1,
            self.get(bus, "Current Limit") * self.model.ma_per_unit,
        )

    def point(self, bus: Bus) -> None:
        """Set the indirect addresses that the cyclic exchange goes through; an X servo loses them with its power."""
        address, data = pointers(self.model, self.firmware)
        bus.write(self.id, address, data)

    def points(self, bus: Bus) -> bool:
        """Whether the indirect addresses are ours: after a reboot they are not, and what is read would be no state."""
        address, data = pointers(self.model, self.firmware)
        answer = bus.read_once(self.id, address, len(data))
        return answer is not None and answer.params == data

    def arm(self, bus: Bus, watchdog_ms: int) -> None:
        """Arm the bus watchdog, cleared before where it has fired, and read it back.

        Raises:
            WatchdogError: the servo did not take the watchdog: torque must not come on.
        """
        wanted = units.watchdog_raw(watchdog_ms)
        self.set(bus, "Bus Watchdog", 0)
        self.set(bus, "Bus Watchdog", wanted)
        found = self.get(bus, "Bus Watchdog")
        if found != wanted:
            raise WatchdogError(
                f"ID {self.id} ({self.joint.name}): bus watchdog {found} after writing {wanted}: torque stays off, "
                "because nothing would stop this servo if the computer died"
            )

    def switch_on(self, bus: Bus) -> float:
        """Hold where it stands now: goal at the position measured now, full strength, torque.

        Returns:
            the position that it holds, rad.

        Raises:
            DeviceError: it stands outside of its own limits, where it can't be told to hold.
        """
        for name, value in self._streaming(self._streaming_s).items():
            self.set(bus, name, value)
        goal = self._holdable(bus, self.get(bus, "Present Position"))
        self.set(bus, "Goal Position", goal)
        if self.joint.goal_current_ma is not None:
            most = self.get(bus, "Current Limit")
            self.set(bus, "Goal Current", min(round(self.joint.goal_current_ma / self.model.ma_per_unit), most))
        self.set(bus, "Goal PWM", self.full_pwm)
        self.set(bus, "Torque Enable", 1)
        return self.rad(goal)

    def _holdable(self, bus: Bus, ticks: int) -> int:
        """The position itself, or the servo's own limit where it stands a hair outside."""
        low, high = self.get(bus, "Min Position Limit"), self.get(bus, "Max Position Limit")
        goal = min(max(ticks, low), high)
        if abs(goal - ticks) * self.model.rad_per_tick > HAIR_RAD:
            raise DeviceError(
                f"{self.joint.name} (ID {self.id}) stands at {self.rad(ticks):.3f}, outside of the servo's own limits "
                f"{self.rad(low):.3f} … {self.rad(high):.3f}: push it inside by hand, then engage again"
            )
        return goal

    def _eeprom(self) -> dict[str, tuple[int, int]]:
        """Registers with the bits that matter to us and what they should be; others, such as a Y's brake, stay."""
        mode = POSITION_MODE if self.joint.goal_current_ma is None else CURRENT_BASED_POSITION_MODE
        drive = int(self.joint.reverse) | (DRIVE_MODE_TIME_PROFILE if self.model.family == "y" else 0)
        return {"Operating Mode": (0xFF, mode), "Drive Mode": (DRIVE_MODE_OURS, drive), "Return Delay Time": (0xFF, 0)}

    def _streaming(self, period_s: float) -> dict[str, int]:
        """Profile registers for goals that come smooth and often: the servo shall not shape them a second time.

        X and P take every goal at once; a Y servo runs a time-based profile, set to one control period.
        """
        acceleration, whole = self.model.profile_time_registers
        if self.model.family != "y":
            return {acceleration: 0, whole: 0}
        steps = max(round(period_s / self.model.profile_time_s), 2)
        return {whole: steps, acceleration: steps // 2}


def refuse_other_calibration(bus: Bus, devices: Sequence[ServoDevice], robot_name: str) -> None:
    """Make sure that every servo has the direction and homing offset of the file.

    Raises:
        RobotMismatchError: with every joint that differs.
    """
    problems = [problem for device in devices if (problem := device.calibration_problem(bus))]
    if problems:
        text = "\n".join(f"  - {problem}" for problem in problems)
        raise RobotMismatchError(f"calibration in the servos differs from {robot_name}'s file; mend one:\n{text}")
