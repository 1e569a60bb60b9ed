# SPDX-License-Identifier: Apache-2.0
"""How near the driver comes to what the wire allows, beside the DYNAMIXEL SDK on the same virtual robot.

A cycle reads position, velocity and current of every servo and writes every goal. The wire limit is the time that
these bytes take at 4 Mbps with return delay 0, ten bits a byte, and nothing else. Ratios are wire limit over
measured period, so 1 is the limit and the 99th percentile of the period gives the lower ratio. "Bare" is the same
bytes written and read with nothing done to them: what this machine and its pseudo-terminals allow.
"""

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.bus_node import cpu_percent
from bench.bus_rig import SdkCycle, bare_cycle, ours, served, servo_robot
from booth.output import Progress
from drivers.pacer import Pacer
from robots import Robot

SIZES = (20, 40, 57)
GROWTH = (10, 20, 30, 40, 50, 60)
STEPS = len(SIZES) + len(GROWTH) + 2
SILENT_JOINTS, SILENT_ID, SILENT_RATE_HZ = 20, 7, 100
NS_PER_MS = 1e6


def measure(seconds: float) -> dict[str, object]:
    """Measure everything; ``seconds`` is the time for each of the timed loops."""
    each_s = max(seconds / 4.0, 1.0)
    progress = Progress("bus")
    with TemporaryDirectory(prefix="booth-bench-") as name:
        directory = Path(name)
        cycles = []
        for count in SIZES:
            progress.show(len(cycles) / STEPS, f"{count} joints")
            cycles.append(_cycle(count, directory, each_s))
        growth = []
        for count in GROWTH:
            progress.show((len(cycles) + len(growth)) / STEPS, f"growth: {count} joints")
            growth.append(_saturated(count, directory, each_s / 2))
        progress.show((STEPS - 2) / STEPS, "two ports, one silent servo")
        parallel = _parallel(directory, each_s)
        silent = _silent(directory, each_s)
        progress.show((STEPS - 1) / STEPS, "driver process, 57 joints at 200 Hz")
        node = cpu_percent(each_s)
    progress.show(1.0, "done")
    return {
        "cycles": cycles,
        "cpu_percent_57_at_200hz": node["cpu_percent"],
        "driver": node,
        "silent": silent,
        "growth": _growth(growth),
        "parallel": parallel,
    }


def describe(figures: dict[str, object]) -> str:
    """The figures for people."""
    lines = [
        "joints   rate Hz  wire limit Hz  ratio p50  ratio p99  bare p50  bare p99  SDK p50  SDK p99  SDK fast p50"
    ]
    for row in figures["cycles"]:  # type: ignore[attr-defined]
        lines.append(
            f"{row['joints']:6d} {row['rate_hz']:9.1f} {row['wire_limit_hz']:14.1f} {row['ratio_p50']:10.3f} "
            f"{row['ratio_p99']:10.3f} {row['bare_ratio_p50']:9.3f} {row['bare_ratio_p99']:9.3f} "
            f"{row['sdk_ratio_p50']:8.3f} {row['sdk_ratio_p99']:8.3f} {row['sdk_fast_ratio_p50']:13.3f}"
        )
    silent, growth, node, parallel = (figures[key] for key in ("silent", "growth", "driver", "parallel"))
    assert isinstance(silent, dict)
    assert isinstance(growth, dict)
    assert isinstance(node, dict)
    assert isinstance(parallel, dict)
    lines += [
        f"one of {SILENT_JOINTS} silent at {SILENT_RATE_HZ} Hz: others fresh in {silent['fresh_share']:.1%} of cycles "
        f"(SDK {silent['sdk_fresh_share']:.1%}), period p99 {silent['period_p99_over_nominal']:.2f} x nominal after "
        f"quarantine (SDK {silent['sdk_period_p99_over_nominal']:.2f})",
        f"growth {growth['joints'][0]} to {growth['joints'][-1]} joints: "
        f"{growth['us_per_joint']:.1f} us a joint (wire {growth['wire_us_per_joint']:.1f}), "
        f"farthest from a straight line {growth['nonlinearity']:.1%}",
        f"{parallel['joints']} joints: {parallel['one_port_ms']:.2f} ms on one port, "
        f"{parallel['two_ports_ms']:.2f} ms on two",
        f"driver process, {node['robot']} at {node['rate_hz']:.0f} Hz, following: {node['cpu_percent']:.0f} % of one "
        f"core, period p99 {node['period_p99_ms']:.2f} ms",
    ]
    return "\n".join(lines)


def _cycle(count: int, directory: Path, seconds: float) -> dict[str, float]:
    """One robot size: ours, then the SDK's plain and fast sync read."""
    period_ms, wire_ms = _saturated_periods(servo_robot(count, 500), directory, seconds)
    with served(servo_robot(count, 500), directory) as serving:
        raw_ms = _periods(bare_cycle(serving), seconds)
        with SdkCycle(serving) as sdk:
            sdk_ms = _periods(sdk.cycle, seconds)
        with SdkCycle(serving, fast=True) as sdk:
            sdk_fast_ms = _periods(sdk.cycle, seconds)
    return {
        "joints": count,
        "rate_hz": 1e3 / float(np.mean(period_ms)),
        "wire_limit_hz": 1e3 / wire_ms,
        "ratio_p50": wire_ms / float(np.percentile(period_ms, 50)),
        "ratio_p99": wire_ms / float(np.percentile(period_ms, 99)),
        "sdk_ratio_p50": wire_ms / float(np.percentile(sdk_ms, 50)),
        "sdk_ratio_p99": wire_ms / float(np.percentile(sdk_ms, 99)),
        "bare_ratio_p50": wire_ms / float(np.percentile(raw_ms, 50)),
        "bare_ratio_p99": wire_ms / float(np.percentile(raw_ms, 99)),
        "sdk_fast_ratio_p50": wire_ms / float(np.percentile(sdk_fast_ms, 50)),
    }


def _parallel(directory: Path, seconds: float) -> dict[str, float]:
    """40 servos on one port and on two: lines run at the same time, so two should take half as long."""
    one_ms, _ = _saturated_periods(servo_robot(40, 500), directory, seconds)
    two_ms, _ = _saturated_periods(servo_robot(40, 500, buses=2), directory, seconds)
    return {
        "joints": 40,
        "one_port_ms": float(np.percentile(one_ms, 50)),
        "two_ports_ms": float(np.percentile(two_ms, 50)),
    }


def _saturated(count: int, directory: Path, seconds: float) -> tuple[int, float, float]:
    period_ms, wire_ms = _saturated_periods(servo_robot(count, 500), directory, seconds)
    return count, float(np.percentile(period_ms, 50)), wire_ms


def _saturated_periods(robot: Robot, directory: Path, seconds: float) -> tuple[np.ndarray, float]:
    """Periods [ms] of our link, cycle after cycle without a pause, and the wire limit [ms]."""
    with served(robot, directory) as serving, ours(serving) as link:
        count = len(robot.joints)
        goal = np.zeros(count)
        goal[:] = np.nan_to_num(link.exchange(np.zeros(count)).reading.position_rad)
        wire_ms = max(line.wire_ns for line in link.lines) / NS_PER_MS

        def cycle() -> None:
            if not link.exchange(goal, overlap=True).reading.fresh.all():
                missed.append(1)

        missed: list[int] = []
        period_ms = _periods(cycle, seconds)
    return period_ms, wire_ms


def _periods(cycle: Callable[[], object], seconds: float) -> np.ndarray:
    """Call a cycle without a pause for some seconds; the periods [ms]."""
    for _ in range(50):
        cycle()
    gc.collect()
    gc.disable()
    try:
        stamps = [time.monotonic_ns()]
        while stamps[-1] - stamps[0] < seconds * 1e9:
            cycle()
            stamps.append(time.monotonic_ns())
    finally:
        gc.enable()
    return np.diff(stamps) / NS_PER_MS


def _silent(directory: Path, seconds: float) -> dict[str, float]:
    """One of 20 servos falls silent in a loop at 100 Hz; figures begin with the first silent cycle."""
    nominal_ms = 1e3 / SILENT_RATE_HZ
    others = np.arange(SILENT_JOINTS) != SILENT_ID - 1
    robot = servo_robot(SILENT_JOINTS, SILENT_RATE_HZ)
    with served(robot, directory) as serving:
        with ours(serving) as link:
            goal = np.nan_to_num(link.exchange(np.zeros(SILENT_JOINTS)).reading.position_rad)

            def cycle() -> np.ndarray:
                fresh = link.exchange(goal).reading.fresh
                link.spare()
                return fresh

            serving.fault(f"silent {SILENT_ID} on")
            fresh, starts = _paced(cycle, seconds)
            bad = 1 + int(np.flatnonzero(~fresh[:, others].all(axis=1))[:4].max(initial=2))
            period_ms = np.diff(starts[bad:]) / NS_PER_MS
        serving.fault("clear")
        with SdkCycle(serving) as sdk:
            serving.fault(f"silent {SILENT_ID} on")
            sdk_fresh, sdk_starts = _paced(sdk.cycle, seconds)
    return {
        "fresh_share": float(fresh[:, others].all(axis=1).mean()),
        "period_p99_over_nominal": float(np.percentile(period_ms, 99)) / nominal_ms,
        "sdk_fresh_share": float(sdk_fresh[:, others].all(axis=1).mean()),
        "sdk_period_p99_over_nominal": float(np.percentile(np.diff(sdk_starts), 99)) / NS_PER_MS / nominal_ms,
    }


def _paced(cycle: Callable[[], np.ndarray], seconds: float) -> tuple[np.ndarray, np.ndarray]:
    pacer = Pacer(SILENT_RATE_HZ)
    fresh, starts = [], []
    for _ in range(int(seconds * SILENT_RATE_HZ)):
        pacer.wait()
        starts.append(time.monotonic_ns())
        fresh.append(cycle().copy())
    return np.array(fresh), np.array(starts)


def _growth(points: list[tuple[int, float, float]]) -> dict[str, object]:
    """A straight line through period over joints: what one joint costs, and how far the points are from the line."""
    joints, period_ms, wire_ms = (np.array(column) for column in zip(*points, strict=True))
    slope, offset = np.polyfit(joints, period_ms, 1)
    line = slope * joints + offset
    return {
        "joints": joints.tolist(),
        "period_p50_ms": period_ms.tolist(),
        "us_per_joint": float(slope) * 1e3,
        "fixed_us": float(offset) * 1e3,
        "wire_us_per_joint": float(np.polyfit(joints, wire_ms, 1)[0]) * 1e3,
        "nonlinearity": float(np.max(np.abs(period_ms - line) / line)),
        "us_per_joint_by_step": (np.diff(period_ms) / np.diff(joints) * 1e3).tolist(),
        "ratio_p50": (wire_ms / period_ms).tolist(),
        "cores": os.cpu_count(),
    }
