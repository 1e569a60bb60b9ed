# SPDX-License-Identifier: Apache-2.0
"""Faults as text: one line asks, one line answers. What each does is in `virtual_faults`."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from drivers.hardware_error import Cause
from drivers.virtual_faults import FaultError, FaultPanel

MOST_LATE_MS = 10_000


class Fault(NamedTuple):
    """One word of the control socket."""

    arguments: str
    help: str


FAULTS: Mapping[str, Fault] = {
    "silent": Fault("ID on|off", "the device neither hears nor answers, as with a broken wire"),
    "noise": Fault("RATE [SEED]", "bit error rate on requests and answers; 0 ends it; the same seed, the same errors"),
    "power-off": Fault("BRANCH|all", "the supply goes: torque and RAM are lost, nobody answers"),
    "power-on": Fault("BRANCH|all", "the supply is back: the devices boot"),
    "overheat": Fault("ID [DEGC]", "keep the servo at a temperature, 5 above its limit unless told"),
    "overload": Fault("ID", "overload error, as after too long at the current limit"),
    "error": Fault("ID CODE", "Hardware Error Status bits, or a Y's Error Code; 0x10 and 16 both work"),
    "voltage": Fault("BRANCH|all V", "supply voltage of a branch; outside of the limits it is an error"),
    "load": Fault("ID MA", "static load on the shaft, as the current that holding it takes"),
    "unplug": Fault("[BUS]", "pull the USB cable: the host's calls fail, the port is gone"),
    "plug": Fault("[BUS]", "put the cable back: another terminal behind the same path"),
    "delay": Fault("MS [BUS]", "answers come this much later; 0 ends it"),
    "half-frame": Fault("[BUS]", "the next answer breaks off in the middle"),
    "status": Fault("", "what is wrong now, as one line of JSON"),
    "clear": Fault("", "take back every fault; errors that servos have latched stay until a reboot"),
}
"""Every fault, its arguments and what it does in one line."""


class FaultWords:
    """Understands the lines of a control socket."""

    def __init__(self, panel: FaultPanel) -> None:
        self._panel = panel

    def answer(self, line: str) -> str:
        """One request; returns ``ok``, ``ok`` with something to say, or ``error: …``."""
        words = line.split()
        try:
            if not words:
                raise FaultError(f"expected a fault, found an empty line: one of {', '.join(FAULTS)}")
            return f"ok {self._dispatch(words[0], words[1:])}".strip()
        except FaultError as error:
            return f"error: {error}"

    def _dispatch(self, word: str, given: list[str]) -> str:
        if word not in FAULTS:
            raise FaultError(f"unknown fault {word!r}: expected one of {', '.join(FAULTS)}")
        wanted = FAULTS[word].arguments.split()
        least = sum(not name.startswith("[") for name in wanted)
        if not least <= len(given) <= len(wanted):
            raise FaultError(f"expected {word} {FAULTS[word].arguments}".rstrip() + f", found {len(given)} arguments")
        return str(getattr(self, "_do_" + word.replace("-", "_"))(*given) or "")

    # --- one method a fault ----------------------------------------------------------------------------------

    def _do_silent(self, servo: str, state: str) -> None:
        if state not in ("on", "off"):
            raise FaultError(f"expected on or off, found {state!r}")
        self._panel.set_silent(self._panel.device_id(servo), state == "on")

    def _do_noise(self, rate: str, seed: str = "0") -> None:
        self._panel.set_noise(_number(rate, "a bit error rate", 0.0, 0.5), int(_number(seed, "a seed", 0, 2**31)))

    def _do_power_off(self, branch: str) -> str:
        return self._panel.set_power(branch, on=False)

    def _do_power_on(self, branch: str) -> str:
        return self._panel.set_power(branch, on=True)

    def _do_overheat(self, servo: str, degc: str | None = None) -> str:
        wanted = None if degc is None else int(_number(degc, "a temperature in °C", 0, 120))
        return f"{self._panel.overheat(self._panel.device_id(servo), wanted)} °C"

    def _do_overload(self, servo: str) -> None:
        self._panel.fail(self._panel.device_id(servo), Cause.OVERLOAD)

    def _do_error(self, servo: str, code: str) -> str:
        try:
            number = int(code, 0)
        except ValueError:
            number = -1
        if not 1 <= number <= 255:
            raise FaultError(f"expected an error code from 1 to 255, found {code!r}")
        return self._panel.set_error(self._panel.device_id(servo), number)

    def _do_voltage(self, branch: str, volts: str) -> str:
        return self._panel.set_voltage(branch, _number(volts, "a voltage", 0.0, 60.0))

    def _do_load(self, servo: str, load: str) -> None:
        self._panel.set_load(self._panel.device_id(servo), _number(load, "a load in mA", -100_000, 100_000))

    def _do_unplug(self, bus: str | None = None) -> str:
        return self._panel.unplug(bus)

    def _do_plug(self, bus: str | None = None) -> str:
        return self._panel.plug(bus)

    def _do_delay(self, late: str, bus: str | None = None) -> None:
        self._panel.set_delay(_number(late, "a delay in ms", 0, MOST_LATE_MS), bus)

    def _do_half_frame(self, bus: str | None = None) -> None:
        self._panel.cut_next_answer(bus)

    def _do_status(self) -> str:
        return json.dumps(self._panel.status(), allow_nan=False)

    def _do_clear(self) -> str:
        return self._panel.clear()


def _number(word: str, what: str, low: float, high: float) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise FaultError(f"expected {what} from {low:g} to {high:g}, found {word!r}")
    return value
