# SPDX-License-Identifier: Apache-2.0
"""The maintenance log: histograms, storing, what a kill loses, who is told apart, and the ranking."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.maintenance import HARDWARE_ERROR, MaintenanceLog, actuators_of
from drivers.maintenance_read import load
from drivers.maintenance_risk import assess, headline, mirror_name
from drivers.maintenance_schema import WEEK_S, EventCount, MaintenanceFileError, database_path, week_of
from drivers.maintenance_store import add, open_for_writing, register, replaced
from drivers.maintenance_tally import COLUMNS, DEGC_BINS, SLICES, Tally, quantile_degc
from robots import load_robot

OP3 = load_robot("op3")
COUNT = len(OP3.joints)
NOW_S = 1_800_000_000.0
NAN = float("nan")


def full(value: float) -> np.ndarray:
    return np.full(COUNT, value)


def of(history, name: str) -> np.ndarray:
    return history.sums[:, SLICES[name]].sum(axis=0)


def fill(path: Path, week: int, hours: float, degc, ma, robot=OP3, virtual=False, events=(), volt=12.0) -> None:
    """Hours of work in one week; degc and ma: a number, or one for each joint."""
    actuators = actuators_of(robot)
    count = len(actuators)
    tally = Tally(count)
    limits = np.array([actuator.limit_ma for actuator in actuators])
    one = np.ones(count)
    tally.add(10.0, one * degc, one * ma, one * volt, one * 5.0, one, limits)
    tally.sums *= hours * 360.0
    connection = open_for_writing(path)
    rows = register(connection, robot.name, virtual, actuators, NOW_S)
    add(connection, rows, tally, events, week)
    connection.close()


def row(joint: str, **changed: float):
    """One value for each joint: ``row("r_el", base=40, other=55)``."""
    values = full(changed["base"])
    values[OP3.joint_names.index(joint)] = changed["other"]
    return values


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_one_second_lands_in_its_bins() -> None:
    tally = Tally(2)
    limit = np.array([1000.0, 1000.0])
    tally.add(1.0, [42.0, NAN], [-850.0, 100.0], [12.0, 11.5], [2 * np.pi, 0.0], [1, 0], limit)
    first, second = tally.sums
    assert first[SLICES["degc_s"]][8] == 1.0
    assert first[SLICES["load_s"]][8] == 1.0
    assert first[SLICES["heat_degcs"]][8] == 42.0
    assert first[SLICES["motion_mas"]].tolist() == [0, 0, 0, 850.0]
    assert first[SLICES["travel_rev"]][0] == pytest.approx(1.0)
    assert (second[SLICES["powered_s"]][0], second[SLICES["torqued_s"]][0]) == (1.0, 0.0)
    assert second[SLICES["degc_s"]].sum() == second[SLICES["load_s"]].sum() == 0.0


values = st.one_of(st.just(NAN), st.floats(-200, 5000, width=32))


@given(st.floats(0.01, 10.0), *[st.lists(values, min_size=3, max_size=3) for _ in range(5)])
def test_no_time_is_lost_or_made_up(seconds: float, degc, ma, volt, way, torque) -> None:
    """Laws: every histogram sums to the time in which its quantity was known; sums are finite and never shrink."""
    tally = Tally(3)
    tally.add(seconds, degc, ma, volt, way, torque, np.full(3, 1000.0))
    known = ~np.isnan(degc)
    assert np.allclose(tally.sums[:, SLICES["degc_s"]].sum(axis=1), seconds * known)
    assert np.all(np.isfinite(tally.sums))
    assert np.all(tally.sums[:, SLICES["load_s"]].sum(axis=1) <= tally.sums[:, SLICES["torqued_s"].start] + 1e-9)
    assert np.all(tally.sums[:, SLICES["torqued_s"].start] <= tally.sums[:, SLICES["powered_s"].start] + 1e-9)


def test_a_suspended_process_has_not_watched() -> None:
    tally = Tally(1)
    tally.add(3600.0, [30], [0], [12], [0], [1], np.array([1000.0]))
    tally.add(NAN, [30], [0], [12], [0], [1], np.array([1000.0]))
    assert tally.sums[0, SLICES["powered_s"].start] == 10.0


@given(st.lists(st.floats(0, 1e6), min_size=DEGC_BINS, max_size=DEGC_BINS), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_with_their_share(seconds, a: float, b: float) -> None:
    histogram = np.array(seconds)
    low, high = (quantile_degc(histogram, share) for share in sorted((a, b)))
    assert np.isnan(low) == (histogram.sum() == 0)
    assert np.isnan(low) or 0.0 <= low <= high + 1e-6 <= 5.0 * DEGC_BINS + 1e-5


# --- storing ---------------------------------------------------------------------------------------------------------


def test_what_is_observed_is_stored_across_runs(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "m.sqlite"
    for _ in range(2):
        log = MaintenanceLog.open(OP3, virtual=False, path=path, clock_s=lambda: NOW_S)
        for _ in range(5):
            log.observe(1.0, full(41), full(500), full(12.1), full(0.1), np.ones(COUNT, bool))
        log.event(4, HARDWARE_ERROR, "overload")
        log.firmware(4, "xm430_w350", 50)
        log.close()
        log.close()
    history = load(path, "op3", virtual=False)[4]
    assert history.actuator.joint == "r_el"
    assert of(history, "powered_s")[0] == pytest.approx(10.0)
    assert (history.degc_max[0], history.volt_min[0], history.firmware) == (41.0, 12.1, 50)
    assert history.events == (EventCount(HARDWARE_ERROR, "overload", NOW_S, NOW_S, 2),)


def test_a_changed_firmware_is_an_event(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    for firmware in (50, 50, 52):
        log = MaintenanceLog.open(OP3, virtual=False, path=path, clock_s=lambda: NOW_S)
        log.firmware(0, "xm430_w350", firmware)
        log.close()
    events = load(path, "op3", virtual=False)[0].events
    assert [(event.kind, event.detail) for event in events] == [("firmware", "xm430_w350 50 -> xm430_w350 52")]


def test_virtual_hours_never_mix_with_real_ones(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    fill(path, week_of(NOW_S), 3.0, 40, 100, virtual=True)
    fill(path, week_of(NOW_S), 5.0, 60, 100, virtual=False)
    hours = {virtual: of(load(path, "op3", virtual)[0], "powered_s")[0] / 3600 for virtual in (True, False)}
    assert hours == {True: pytest.approx(3.0), False: pytest.approx(5.0)}


CHILD = """
import sys, time
import numpy as np
from pathlib import Path
from drivers.maintenance import MaintenanceLog
from robots import load_robot
robot = load_robot("op3")
n = len(robot.joints)
log = MaintenanceLog.open(robot, virtual=False, path=Path(sys.argv[1]))
for second in range(25):
    log.observe(1.0, np.full(n, 40.0), np.full(n, 100.0), np.full(n, 12.0), np.zeros(n), np.ones(n))
    time.sleep(0.04)
print("observed", flush=True)
time.sleep(60)
"""


def test_a_killed_writer_loses_at_most_ten_seconds(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "observed\n"
        deadline = time.monotonic() + 9.0  # the process itself has run for less than the ten seconds it may lose
        stored = 0.0
        while stored < 15.0 and time.monotonic() < deadline:
            histories = load(path, "op3", virtual=False) if path.exists() else []
            stored = of(histories[0], "powered_s")[0] if histories else 0.0
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert of(load(path, "op3", virtual=False)[0], "powered_s")[0] >= 15.0
    log = MaintenanceLog.open(OP3, virtual=False, path=path)
    log.observe(1.0, full(40), full(0), full(12), full(0), full(1))
    log.close()
    assert of(load(path, "op3", virtual=False)[0], "powered_s")[0] >= 16.0


def test_a_reader_reads_while_a_writer_writes(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    fill(path, week_of(NOW_S), 1.0, 40, 100)
    writer = open_for_writing(path)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE week SET powered_s = 0")
    assert of(load(path, "op3", virtual=False)[0], "powered_s")[0] == pytest.approx(3600.0)
    writer.execute("ROLLBACK")
    writer.close()


def test_two_writers_add_up(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    logs = [MaintenanceLog.open(OP3, virtual=True, path=path, clock_s=lambda: NOW_S) for _ in range(2)]
    for log in logs:
        log.observe(4.0, full(40), full(0), full(12), full(0), full(1))
    for log in logs:
        log.close()
    assert of(load(path, "op3", virtual=True)[0], "powered_s")[0] == pytest.approx(8.0)


def test_a_locked_disk_is_one_warning_and_nothing_is_lost(tmp_path: Path, caplog, monkeypatch) -> None:
    path = tmp_path / "m.sqlite"
    monkeypatch.setattr("drivers.maintenance_store.BUSY_S", 0.05)
    blocker = open_for_writing(path)
    blocker.execute("BEGIN IMMEDIATE")
    caplog.set_level(logging.WARNING, "maintenance")
    log = MaintenanceLog.open(OP3, virtual=False, path=path, clock_s=lambda: NOW_S)
    for _ in range(3):
        log.observe(10.0, full(40), full(0), full(12), full(0), full(1))
        log.event(0, "timeout")
        log._store()
    assert len(caplog.records) == 1
    assert "the robot runs on without" in caplog.text
    blocker.execute("ROLLBACK")
    blocker.close()
    log.close()
    history = load(path, "op3", virtual=False)[0]
    assert of(history, "powered_s")[0] == pytest.approx(30.0)
    assert sum(event.count for event in history.events) == 3


def test_a_place_that_can_not_be_written_never_raises(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("")
    log = MaintenanceLog.open(OP3, virtual=False, path=tmp_path / "file" / "m.sqlite")
    log.observe(20.0, full(40), full(0), full(12), full(0), full(1))
    log.observe(1.0, [1.0], [1.0], [1.0], [1.0], [1.0])
    log.event(999, "timeout")
    log.close()
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_a_replaced_servo_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    fill(path, week_of(NOW_S), 5.0, 60, 100)
    replaced(path, "op3", False, actuators_of(OP3)[4], NOW_S)
    histories = {history.actuator.joint: history for history in load(path, "op3", virtual=False)}
    assert len(histories) == COUNT
    assert of(histories["r_el"], "powered_s").sum() == 0
    assert of(histories["l_el"], "powered_s").sum() == pytest.approx(5 * 3600)
    fill(path, week_of(NOW_S), 1.0, 40, 100)
    assert of(load(path, "op3", virtual=False)[-1], "powered_s")[0] == pytest.approx(3600.0)


def test_old_timeouts_are_folded_to_weeks_and_counts_stay(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    old = [(0, EventCount("timeout", "", s, s, 2)) for s in NOW_S - 200 * 86_400 + 3600.0 * np.arange(300)]
    fill(path, week_of(NOW_S), 1.0, 40, 100, events=old)
    fill(path, week_of(NOW_S), 1.0, 40, 100)
    events = load(path, "op3", virtual=False)[0].events
    assert sum(event.count for event in events) == 600
    assert len(events) <= 3


def test_the_file_grows_about_a_megabyte_a_year_on_57_joints(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    connection = open_for_writing(path)
    actuators = [actuator for _ in range(3) for actuator in actuators_of(OP3)][:57]
    actuators = [type(a)(f"joint{k}", k, a.model, a.limit_degc, a.limit_ma) for k, a in enumerate(actuators)]
    rows = register(connection, "big", False, actuators, NOW_S)
    tally = Tally(57)
    tally.sums += np.random.default_rng(1).uniform(0, 1e5, tally.sums.shape) * (np.arange(len(COLUMNS)) % 2)
    tally.seconds = 1.0
    for week in range(52):
        add(connection, rows, tally, [], week)
    connection.close()
    assert path.stat().st_size < 2_000_000


def test_a_damaged_or_newer_file_is_answered_in_words(tmp_path: Path) -> None:
    with pytest.raises(MaintenanceFileError, match="while a robot runs"):
        load(tmp_path / "none", "op3", virtual=False)
    (tmp_path / "bad").write_text("no database, but long enough to be looked at as one" * 100)
    with pytest.raises(MaintenanceFileError, match="move it away"):
        load(tmp_path / "bad", "op3", virtual=False)
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 9")
    newer.close()
    with pytest.raises(MaintenanceFileError, match="version 9"):
        load(tmp_path / "newer", "op3", virtual=False)


def test_the_file_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.delenv("BOOTH_MAINTENANCE_DB", raising=False)
    assert database_path() == Path("/data/humanoid_booth/maintenance.sqlite")
    monkeypatch.setenv("BOOTH_MAINTENANCE_DB", "/else/m.sqlite")
    assert database_path() == Path("/else/m.sqlite")


# --- ranking ---------------------------------------------------------------------------------------------------------


def judged(path: Path):
    return assess(load(path, "op3", virtual=False), NOW_S)


def test_a_hot_joint_comes_first_with_its_mirror_named(tmp_path: Path) -> None:
    fill(tmp_path / "m", week_of(NOW_S), 10.0, row("r_el", base=46, other=62), 300)
    first, *others = judged(tmp_path / "m")
    assert first.joint == "r_el"
    assert "runs 16 °C hotter than its mirror joint l_el" in first.words
    assert all(one.words == "nothing stands out" for one in others)
    assert headline([first, *others]).startswith("Most likely to fail next: r_el, risk 2")


def test_overloads_are_counted_in_words(tmp_path: Path) -> None:
    events = [(4, EventCount(HARDWARE_ERROR, "overload", NOW_S - 60, NOW_S, 3))]
    fill(tmp_path / "m", week_of(NOW_S), 10.0, 42, 300, events=events)
    found = judged(tmp_path / "m")
    assert found[0].words == "had 3x overload in 10 h"
    assert found[0].errors_per_h == pytest.approx(0.3)
    assert headline(found).startswith(
        "Most likely to fail next: r_el, risk 30 of 100 (raised), because it had 3x overload"
    )


def test_a_joint_that_became_hotter_at_equal_current_is_told(tmp_path: Path) -> None:
    this = week_of(NOW_S)
    fill(tmp_path / "m", this - 1, 5.0, 42, 300)
    fill(tmp_path / "m", this, 5.0, row("head_pan", base=42, other=50), 300)
    first = judged(tmp_path / "m")[0]
    assert (first.joint, round(first.trend_degc)) == ("head_pan", 8)
    assert "runs 8 °C hotter than before at equal current" in first.words


def test_hotter_at_more_current_is_no_trend(tmp_path: Path) -> None:
    this = week_of(NOW_S)
    fill(tmp_path / "m", this - 1, 5.0, 42, 300)
    fill(tmp_path / "m", this, 5.0, 52, 1500)
    assert all(np.isnan(one.trend_degc) for one in judged(tmp_path / "m"))


def test_only_times_of_equal_current_are_compared(tmp_path: Path) -> None:
    this = week_of(NOW_S)
    fill(tmp_path / "m", this - 1, 5.0, 42, 300)
    fill(tmp_path / "m", this, 5.0, 44, 300)
    fill(tmp_path / "m", this, 15.0, 60, 1500)
    assert all(one.trend_degc == pytest.approx(2.0) for one in judged(tmp_path / "m"))


def test_more_current_at_equal_motion_than_a_month_ago_is_told(tmp_path: Path) -> None:
    this = week_of(NOW_S)
    fill(tmp_path / "m", this - 5, 5.0, 42, 300)
    fill(tmp_path / "m", this, 5.0, 42, row("r_knee", base=300, other=375))
    first = judged(tmp_path / "m")[0]
    assert first.joint == "r_knee"
    assert "draws 25% more current than a month ago at equal motion" in first.words


def test_too_few_hours_are_said_and_not_scored(tmp_path: Path) -> None:
    fill(tmp_path / "m", week_of(NOW_S), 0.5, row("r_el", base=42, other=70), 300)
    found = judged(tmp_path / "m")
    assert all(one.score is None for one in found)
    assert found[0].words == "not enough hours yet (0.5 of 2 h)"
    assert "No telling yet" in headline(found)


def test_mirrors_are_found_by_name() -> None:
    names = dict.fromkeys(["arm_l_joint1", "arm_r_joint1", "head_joint1", "left_knee", "right_knee"])
    assert mirror_name("arm_l_joint1", names) == "arm_r_joint1"
    assert mirror_name("right_knee", names) == "left_knee"
    assert mirror_name("head_joint1", names) is None


def test_weeks_begin_on_monday() -> None:
    monday_s = 1_795_996_800 // WEEK_S * WEEK_S + 4 * 86_400
    assert week_of(monday_s) == week_of(monday_s - 1) + 1
    assert time.gmtime(monday_s).tm_wday == 0
