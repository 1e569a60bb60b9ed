# SPDX-License-Identifier: Apache-2.0
"""What the figures of camera, servos, disk, clock and pedal mean for a session; pure, each says what to do."""

from collections.abc import Mapping, Sequence

from booth.selfcheck_item import Verdict, failed, ok, waiting, warn
from teleop.camera_health import SLOWEST_HZ

SMOOTH_HZ = 20.0
"""A camera of 30 images a second that is well lit keeps above it."""
DARK, DIM, BRIGHT, DAZZLED = 30.0, 60.0, 210.0, 240.0
"""Mean of the image, 0 to 255: hands are not found below and above the outer ones. Our own figures."""
NEAR_LIMIT_C, AT_LIMIT_C = 10.0, 3.0
FEW_MINUTES, NO_MINUTES = 30.0, 5.0
FEW_GB, NO_GB = 10.0, 1.5
OFFSET_NS = 50_000_000
"""Stamps of two processes of one machine that differ by more than a message may take have different clocks."""
DRIFT_NS = 500_000_000
MS = 1_000_000

Servo = Mapping[str, object]


def judge_camera(word: str, hz: float, reason: str) -> Verdict:
    """The tracker's word and rate of images.

    Args:
        word: message of ``/tracker/state``. hz: its ``rate_hz``. reason: its ``reason``.
    """
    if word == "ENDED":
        return failed("the video has ended: start the booth with a camera")
    if word == "NO_IMAGE":
        return failed(reason or "no image from the camera: check its cable")
    if word != "TRACKING" or not hz:
        return waiting("no image from the camera yet: check its cable")
    if hz < SLOWEST_HZ:  # it is a mean, and may still rise after the start
        return waiting(
            f"{hz:.0f} images a second, at least {SLOWEST_HZ:.0f} are needed: more light or a faster computer"
        )
    if hz < SMOOTH_HZ:
        return warn(f"{hz:.0f} images a second, {SMOOTH_HZ:.0f} or more are smooth: more light or a faster computer")
    return ok(f"{hz:.0f} images a second")


def judge_light(brightness: float | None) -> Verdict:
    """Mean of the image, 0 to 255."""
    if brightness is None:
        return waiting("no image to measure the light in yet")
    if brightness < DARK:
        return failed(f"brightness {brightness:.0f} of 255 is too dark: switch a lamp on, take the lens cover off")
    if brightness > DAZZLED:
        return failed(f"brightness {brightness:.0f} of 255 is too bright: turn the camera away from lamp and window")
    if brightness < DIM:
        return warn(f"brightness {brightness:.0f} of 255 is dim: {DIM:.0f} or more is better, switch a lamp on")
    if brightness > BRIGHT:
        return warn(f"brightness {brightness:.0f} of 255 is very bright: {BRIGHT:.0f} or less is better")
    return ok(f"brightness {brightness:.0f} of 255")


def judge_servo(servo: Servo) -> Verdict:
    """One entry of ``/driver/servos``."""
    ident, fault = servo.get("id"), str(servo.get("fault") or "")
    if fault:
        return failed(f"ID {ident}: {fault}")
    if not servo.get("fresh"):
        return waiting(f"ID {ident} does not answer: check its cable, plug and power")
    degc = servo.get("temperature_c")
    return ok(f"ID {ident} answers" if degc is None else f"ID {ident} answers, {degc} °C")


def judge_temperatures(servos: Sequence[Servo]) -> Verdict:
    """The servo that is nearest to its limit speaks for all."""
    unread = [str(servo.get("name")) for servo in servos if servo.get("temperature_c") is None]
    if not servos or unread:
        return waiting(f"no temperature yet of {unread[0]}" if unread else "no temperature of any servo yet")
    rooms = [(room, servo) for servo in servos if (room := _room_c(servo)) is not None]
    if not rooms:
        return ok(f"{len(servos)} servos, none tells its limit")
    room, hottest = min(rooms, key=lambda pair: pair[0])
    figures = f"nearest to its limit: {hottest['name']} with {hottest['temperature_c']} of {hottest['limit_c']} °C"
    if room <= AT_LIMIT_C:
        return failed(f"{figures}: let the robot cool down")
    if room <= NEAR_LIMIT_C:
        return warn(f"{figures}: begin with a pause")
    return ok(figures)


def judge_disk(minutes: float | None, free_gb: float | None) -> Verdict:
    """What the recorder says of its disk; minutes are unknown until messages come."""
    if free_gb is None:
        return waiting("no word from the recorder yet: is it running?")
    if minutes is None:
        if free_gb < NO_GB:
            return failed(f"{free_gb:.1f} GB free: move episodes away (booth library) or empty the trash")
        if free_gb < FEW_GB:
            return warn(f"{free_gb:.1f} GB free: that is little for a session")
        return ok(f"{free_gb:.0f} GB free")
    figures = f"room for {minutes:.0f} minutes, {free_gb:.1f} GB free"
    if minutes < NO_MINUTES:
        return failed(f"{figures}: move episodes away (booth library) or empty the trash")
    return warn(f"{figures}: that is little for a session") if minutes < FEW_MINUTES else ok(figures)


def judge_clock(drift_ns: int, ages_ns: Mapping[str, int], synchronised: bool | None) -> Verdict:
    """One clock for all processes, and one that is right.

    Args:
        drift_ns: how far the wall clock has moved against graph time.
        ages_ns: for every other process how old its newest stamp was when it came; near 0, and never far below.
        synchronised: whether a time service keeps the clock right; None: unknown.
    """
    if not ages_ns:
        return waiting("no stamp of another process yet")
    name = max(ages_ns, key=lambda each: abs(ages_ns[each]))
    if abs(ages_ns[name]) > OFFSET_NS:  # or its first message was late
        return waiting(
            f"{name} has another clock, {ages_ns[name] / MS:.0f} ms apart: start all processes with one booth up"
        )
    if abs(drift_ns) > DRIFT_NS:
        return warn(f"the clock was set by {drift_ns * 1e-9:.1f} s since the start: restart the booth when it is idle")
    same = f"clocks of {len(ages_ns) + 1} processes within {abs(ages_ns[name]) / MS:.0f} ms"
    if synchronised is None:
        return warn(f"{same}; whether a time service keeps the clock right is not known")
    if not synchronised:
        return warn(f"{same}; no time service keeps the clock right: dates of episodes may be wrong")
    return ok(f"{same}, kept right by a time service")


def judge_pedal(word: str, reason: str, pressed: bool) -> Verdict:
    """The foot pedal; an empty word where somebody else's publishes it."""
    if word == "UNPLUGGED":
        return failed(reason or "the pedal is unplugged: plug it in again")
    if pressed:
        return ok("it was pressed")
    return waiting(reason or "press the pedal once")


def _room_c(servo: Servo) -> float | None:
    """How far it is below its limit."""
    degc, limit = servo.get("temperature_c"), servo.get("limit_c")
    if isinstance(degc, int | float) and isinstance(limit, int | float):
        return float(limit) - float(degc)
    return None
