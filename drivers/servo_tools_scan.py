# SPDX-License-Identifier: Apache-2.0
"""Who is on a line, and whether that is what the robot's file says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from drivers.bus import Port
from drivers.protocol import MAX_ID
from drivers.servo_tools import known_model, model_words
from drivers.servo_tools_line import Progress, ping_everybody, ping_one
from drivers.servo_tools_where import Slot

SCAN_BAUDS = (57_600, 1_000_000, 2_000_000, 4_000_000, 3_000_000, 115_200, 9_600)
"""Every rate that both the X series and the SDK's port know, the likely ones first."""

FindingKind = Literal["missing", "unexpected", "duplicate", "model", "baud", "garbled", "alert"]


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered at ``baud``; ``answers`` above one: several devices share its ID."""

    id: int
    model_number: int
    firmware: int
    baud: int
    alert: bool
    answers: int = 1


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Everybody who answered at one speed, in the order of IDs; ``garbled``: IDs that answered with rubbish, -1 for
    the broadcast."""

    found: tuple[Found, ...]
    garbled: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation, with what to do about it. An alert is no deviation from the robot's file: ``matters`` is False."""

    kind: FindingKind
    id: int
    text: str
    matters: bool = True


def scan(port: Port, ask_each: Sequence[int] = (), progress: Progress = lambda _: None) -> ScanResult:
    """Broadcast ping; then IDs that should be there and kept silent are asked one by one, twice.

    Args:
        port: the line.
        ask_each: IDs to be asked one by one when they did not answer the broadcast; `every_id` asks all.
        progress: told a share 0 … 1.
    """
    share = 0.5 if ask_each else 1.0
    heard = ping_everybody(port, lambda done: progress(share * done))
    answers = Counter(sighting.id for sighting in heard.sightings)
    found = {s.id: Found(s.id, s.model_number, s.firmware, port.baud, s.alert, answers[s.id]) for s in heard.sightings}
    garbled = [-1] if heard.garbled_bytes else []
    silent = [servo_id for servo_id in ask_each if servo_id not in found]
    for done, servo_id in enumerate(silent, 1):
        for _ in range(2):
            one = ping_one(port, servo_id)
            sighting = next((s for s in one.sightings if s.id == servo_id), None)
            if sighting is not None:
                found[servo_id] = Found(servo_id, sighting.model_number, sighting.firmware, port.baud, sighting.alert)
                break
            if one.garbled_bytes and servo_id not in garbled:
                garbled.append(servo_id)
        progress(0.5 + 0.5 * done / len(silent))
    progress(1.0)
    return ScanResult(tuple(found[servo_id] for servo_id in sorted(found)), tuple(garbled))


def every_id() -> range:
    """All IDs there can be."""
    return range(MAX_ID + 1)


def compare(results: Sequence[ScanResult], expected: Mapping[int, Slot] | None, baud: int) -> list[Finding]:
    """Deviations of what answered from what the robot's file expects on this line.

    Args:
        results: one of each speed.
        expected: the file's devices by ID; None without a robot, then only duplicates and alerts are found.
        baud: speed of the line in the file.
    """
    everybody = [device for result in results for device in result.found]
    findings = [_duplicate(device) for device in everybody if device.answers > 1]
    findings += [_garbled(servo_id) for result in results for servo_id in result.garbled]
    if expected is not None:
        for slot in expected.values():
            findings += _slot(slot, [device for device in everybody if device.id == slot.id], baud)
        findings += [_unexpected(device, baud) for device in everybody if device.id not in expected]
    findings += [_alert(device) for device in everybody if device.alert]
    return findings


def _slot(slot: Slot, answers: list[Found], baud: int) -> list[Finding]:
    who = f"ID {slot.id} ({slot.name})"
    if not answers:
        return [
            Finding(
                "missing",
                slot.id,
                f"{who}: expected {slot.model}, found nobody: check its cable and power; "
                "a new servo has ID 1 and another speed, so look with --baud all",
            )
        ]
    findings = []
    for device in answers:
        known = known_model(device.model_number)
        if known is None or known.name != slot.model:
            text = f"{who}: expected {slot.model}, found {model_words(device.model_number)}: a wrong servo, or swapped?"
            findings.append(Finding("model", slot.id, text))
        if device.baud != baud:
            text = f"{who} talks at {device.baud} baud, the file says {baud}: booth servo set-baud {slot.id} {baud}"
            findings.append(Finding("baud", slot.id, text))
    return findings


def _unexpected(device: Found, baud: int) -> Finding:
    hint = "booth servo set-id gives it the missing one's ID" if device.baud == baud else "set-baud, then set-id"
    text = (
        f"ID {device.id}: {model_words(device.model_number)} at {device.baud} baud is not in the robot's file: {hint}"
    )
    return Finding("unexpected", device.id, text)


def _duplicate(device: Found) -> Finding:
    text = f"ID {device.id} answered {device.answers} times: unplug all but one of them and use booth servo set-id"
    return Finding("duplicate", device.id, text)


def _garbled(servo_id: int) -> Finding:
    who = "the answers to everybody were" if servo_id < 0 else f"the answer of ID {servo_id} was"
    return Finding("garbled", servo_id, f"{who} garbled: two devices on one ID, a wrong speed, or a disturbed line")


def _alert(device: Found) -> Finding:
    text = f'ID {device.id} reports a hardware error: booth servo read {device.id} "Hardware Error Status"'
    return Finding("alert", device.id, text, matters=False)
