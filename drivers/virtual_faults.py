# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: everything that can go wrong on a real robot's bus, at the moment that somebody asks for it."""

import time
from collections.abc import Callable, Mapping

from drivers.hardware_error import Cause, describe
from drivers.virtual_bus import VirtualBus
from drivers.virtual_device import VirtualDevice
from drivers.virtual_hand import VirtualHandController
from drivers.virtual_noise import BitErrors
from drivers.virtual_server import VirtualRobotServer
from drivers.virtual_servo import VirtualServo
from graph.errors import InputError
from robots.robot import HandController, Joint, Robot

_ABOVE_LIMIT_DEGC = 5


class FaultError(InputError):
    """A fault that can't be made: says what was expected, what was found, and what is allowed."""


class FaultPanel:
    """Makes faults on the buses of one virtual robot; `virtual_fault_words` takes them as text.

    Args:
        robot: whose branches and joints they are.
        buses: by name.
        servers: their plugs; without them nobody can pull one.
        clock_ns: the time that the buses run in.
    """

    def __init__(
        self,
        robot: Robot,
        buses: Mapping[str, VirtualBus],
        servers: Mapping[str, VirtualRobotServer] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._robot, self._buses, self._servers = robot, dict(buses), dict(servers or {})
        self._clock_ns = clock_ns
        parts: list[Joint | HandController] = [*robot.joints, *robot.controllers]
        self._branch = {part.id: robot.branch_of(part) for part in parts}
        self._names = {part.id: _name(part) for part in parts}
        self._where = {device.id: bus for bus in self._buses.values() for device in bus.devices}
        self._devices = {device.id: device for bus in self._buses.values() for device in bus.devices}

    # --- faults --------------------------------------------------------------------------------------------------

    def set_silent(self, servo: int, silent: bool) -> None:
        """Break or mend one device's wire."""
        with self._where[servo].lock:
            self._devices[servo].silent = silent

    def set_noise(self, rate: float, seed: int = 0) -> None:
        """Bit errors on every line."""
        for number, bus in enumerate(self._buses.values()):
            with bus.lock:
                bus.noise = BitErrors(rate, seed + number)

    def set_power(self, branch: str, *, on: bool) -> str:
        """Switch a branch off or on; says how many devices that is."""
        devices = self._of_branch(branch)
        for device in devices:
            with self._where[device.id].lock:
                device.set_power(on, self._clock_ns())
        return f"{len(devices)} devices"

    def overheat(self, servo: int, degc: int | None = None) -> int:
        """Keep a servo at a temperature; returns which, °C."""
        device = self._servo(servo)
        with self._where[servo].lock:
            limit = device.peek(device.model.temperature_limit_register)
            wanted = limit + _ABOVE_LIMIT_DEGC if degc is None else degc
            device.set_temperature(wanted, self._clock_ns())
        return wanted

    def fail(self, servo: int, cause: Cause) -> None:
        """An error by its cause."""
        with self._where[servo].lock:
            self._servo(servo).fail(cause, self._clock_ns())

    def set_error(self, servo: int, code: int) -> str:
        """An error by its code; says what it means."""
        device = self._servo(servo)
        with self._where[servo].lock:
            device.raise_hardware_error(code, self._clock_ns())
        return ", ".join(describe(device.model.family, code))

    def set_voltage(self, branch: str, volts: float) -> str:
        """Supply voltage of a branch; says how many devices that is."""
        devices = self._of_branch(branch)
        for device in devices:
            with self._where[device.id].lock:
                self._supply(device, volts)
        return f"{len(devices)} devices"

    def set_load(self, servo: int, load_ma: float) -> None:
        """A static load."""
        with self._where[servo].lock:
            self._servo(servo).set_load(load_ma, self._clock_ns())

    def unplug(self, bus: str | None = None) -> str:
        """Pull a plug, or all."""
        for server in self._plugs(bus):
            server.unplug()
        return self._ports(bus)

    def plug(self, bus: str | None = None) -> str:
        """Put plugs back; says where a host finds them."""
        for server in self._plugs(bus):
            server.plug()
        return self._ports(bus)

    def set_delay(self, late_ms: float, bus: str | None = None) -> None:
        """Answers come later."""
        for line in self._lines(bus):
            with line.lock:
                line.late_ns = int(late_ms * 1e6)

    def cut_next_answer(self, bus: str | None = None) -> None:
        """The next answer breaks off in the middle."""
        for line in self._lines(bus):
            with line.lock:
                line.cut_next = True

    def clear(self) -> str:
        """Take back every fault; says which servos keep a latched error until a reboot."""
        now_ns = self._clock_ns()
        self.set_noise(0.0)
        self.set_delay(0.0)
        latched = []
        for bus in self._buses.values():
            with bus.lock:
                bus.cut_next = False
                for device in bus.devices:
                    device.silent = False
                    device.set_power(True, now_ns)
                    if isinstance(device, VirtualServo):
                        device.release_temperature(now_ns)
                        device.set_load(0.0, now_ns)
                        self._supply(device, device.model.nominal_v)
                    else:
                        self._supply(device, 24.0)
                    if device.alert:
                        latched.append(device.id)
        for server in self._servers.values():
            server.plug()
        return f"{_listed(latched)} until a reboot: latched errors" if latched else ""

    def status(self) -> dict[str, object]:
        """What is wrong now: the lines, and every device that isn't well."""
        return {
            "robot": self._robot.name,
            "branches": sorted(set(self._branch.values())),
            "buses": [self._line_status(name, bus) for name, bus in self._buses.items()],
            "devices": [status for servo in self._devices if (status := self._device_status(servo))],
        }

    # --- who is meant ----------------------------------------------------------------------------------------

    def _line_status(self, name: str, bus: VirtualBus) -> dict[str, object]:
        server = self._servers.get(name)
        return {
            "bus": name,
            "baud": bus.baud,
            "devices": len(bus.devices),
            "port": server.path if server is not None else None,
            "plugged": server.plugged if server is not None else None,
            "noise": bus.noise.rate,
            "flipped_bits": bus.noise.flipped,
            "delay_ms": bus.late_ns / 1e6,
        }

    def _device_status(self, servo: int) -> dict[str, object]:
        """Empty for a device that is well."""
        device = self._devices[servo]
        with self._where[servo].lock:
            wrong: dict[str, object] = {}
            if device.silent:
                wrong["silent"] = True
            if not device.powered:
                wrong["powered"] = False
            if isinstance(device, VirtualServo):
                code = device.peek(device.model.error_register)
                if code:
                    wrong["error"], wrong["means"] = code, list(describe(device.model.family, code))
                if device.load_ma:
                    wrong["load_ma"] = device.load_ma
                if device.heat.degc > device.peek(device.model.temperature_limit_register) - 10:
                    wrong["degc"] = int(device.heat.degc)
            elif device.alert:
                wrong["error"] = device.peek("Hardware Error Status")
        if not wrong:
            return {}
        return {"id": servo, "name": self._names[servo], "branch": self._branch[servo], **wrong}

    def _supply(self, device: VirtualDevice, volts: float) -> None:
        """A hand controller makes its motors' voltage from its own, so they never get more than they want."""
        if isinstance(device, VirtualServo):
            volts = min(volts, device.model.nominal_v) if device.inner_bus is not None else volts
        if isinstance(device, VirtualServo | VirtualHandController):
            device.set_voltage(round(volts * 10), self._clock_ns())

    def device_id(self, word: str) -> int:
        """The ID that a number or a joint's name means."""
        try:
            servo = int(word)
        except ValueError:
            servo = next((number for number, name in self._names.items() if name == word), -1)
        if servo not in self._devices:
            raise FaultError(
                f"no device {word!r} in {self._robot.name}: expected a joint's name or one of the IDs "
                f"{_listed(sorted(self._devices))}"
            )
        return servo

    def _servo(self, servo: int) -> VirtualServo:
        device = self._devices[servo]
        if not isinstance(device, VirtualServo):
            raise FaultError(f"ID {servo} is a hand controller, expected a servo")
        return device

    def _of_branch(self, branch: str) -> list[VirtualDevice]:
        known = sorted(set(self._branch.values()))
        if branch != "all" and branch not in known:
            raise FaultError(f"no branch {branch!r}: expected all or one of {', '.join(known)}")
        return [device for servo, device in self._devices.items() if branch in ("all", self._branch[servo])]

    def _lines(self, bus: str | None) -> list[VirtualBus]:
        if bus is not None and bus not in self._buses:
            raise FaultError(f"no bus {bus!r}: expected one of {', '.join(self._buses)}")
        return [line for name, line in self._buses.items() if bus in (None, name)]

    def _plugs(self, bus: str | None) -> list[VirtualRobotServer]:
        self._lines(bus)
        if not self._servers:
            raise FaultError("this virtual robot has no ports to plug or unplug")
        return [server for name, server in self._servers.items() if bus in (None, name)]

    def _ports(self, bus: str | None) -> str:
        return " ".join(server.path or "-" for server in self._plugs(bus))


def _name(part: Joint | HandController) -> str:
    return part.name if isinstance(part, Joint) else f"controller {part.id}"


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
