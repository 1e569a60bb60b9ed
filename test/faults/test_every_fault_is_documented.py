# SPDX-License-Identifier: Apache-2.0
"""Every fault code has a page for a technician and a test, and there is no page without a code."""

import re
from pathlib import Path

import pytest

from graph.faults import FaultCode

ROOT = Path(__file__).parents[2]
PAGES, TESTS = ROOT / "docs/faults", ROOT / "test/faults"
SECTIONS = ("What you see and hear", "Why we stop", "Do this", "For engineers")
CODES = [code.value for code in FaultCode]


@pytest.mark.parametrize("code", CODES)
def test_a_page_tells_what_is_seen_why_we_stop_what_to_do_and_what_engineers_need(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text()
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == SECTIONS
    parts = re.split(r"^## .+$", text, flags=re.MULTILINE)
    assert all(len(part.strip()) > 20 for part in parts)
    assert f"`{code}`" in parts[0]
    steps = re.findall(r"^(\d+)\. ", parts[3], re.MULTILINE)
    assert steps == [str(k) for k in range(1, len(steps) + 1)]
    assert len(steps) >= 3
    assert f"test/faults/test_{code}.py" in parts[4]
    assert "Log: " in parts[4] or "Log and keys: " in parts[4]


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_test_of_its_own(code: str) -> None:
    assert "\ndef test_" in (TESTS / f"test_{code}.py").read_text()


def test_no_page_and_no_test_is_without_a_code() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md")) == sorted([*CODES, "README"])
    tests = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    assert tests - {"every_fault_is_documented"} == set(CODES)


def test_the_table_lists_every_code_once_with_its_state() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| .+ \| (.+) \| .+ \|$", (PAGES / "README.md").read_text(), re.M)
    assert [code for code, _, _ in rows] == CODES
    for code, link, state in rows:
        assert code == link
        assert f"state: **{state}**" in (PAGES / f"{code}.md").read_text()


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_thresholds_on_the_pages_are_those_of_the_code() -> None:
    from drivers import (
        care,
        command,
        control_loop,
        joint_health,
        lease,
        noise,
        quarantine,
        robot_link,
        safety,
        state_arrays,
    )

    said = {
        "servo_silent": [f"after {quarantine.MISSES} reads", f"every {quarantine.PROBE_EVERY_NS // 10**9} s"],
        "bus_silent": [f"after {robot_link.MUTE_HOLD_NS // 10**6} ms", f"after {robot_link.MUTE_STOP_NS // 10**6} ms"],
        "port_lost": [f"every {care.REOPEN_EVERY_NS // 10**6} ms"],
        "bus_noise": [
            f"above {robot_link.NOISE_HOLD_SHARE:.0%}".replace("%", " %"),
            f"above {care.NOISE_WARN_SHARE * 100:g} %",
            f"at least {noise.ENOUGH}",
            f"{robot_link.STALE_NS // 10**6} ms",
            f"{state_arrays.ALWAYS_RAD} rad + {state_arrays.FASTER:g} times",
        ],
        "near_limit": [
            f"limit − {joint_health.WARM_DEGC} °C",
            f"{joint_health.VOLT_MARGIN} V",
            f"about {joint_health.STRAINED_S:g} s above {joint_health.STRAINED_SHARE * 100:g} %",
        ],
        "command_stale": [
            f"at most {safety.COMMAND_TTL_NS // 10**6} ms old",
            f"at most {command.OLDEST_CAPTURE_NS // 10**6} ms old",
            f"up to {safety.PAUSE_LIMIT_NS // 10**6} ms more",
        ],
        "second_commander": [f"ends {lease.LEASE_NS / 1e9:g} s after"],
        "clock_jump": [f"{command.FUTURE_NS // 10**6} ms in the future"],
        "driver_starved": [f"gap above {control_loop.STALL_NS // 10**6} ms"],
        "hardware_error": [f"let go over {care.OVERLOAD_RELEASE_S:g} s"],
        "servos_stopped": [f"{care.POLLS_PER_S} reads a second"],
        "wrong_robot": [f"more than {control_loop.FARTHEST_OUTSIDE_RAD} rad outside"],
    }
    for code, words in said.items():
        text = (PAGES / f"{code}.md").read_text()
        assert [word for word in words if word not in text] == [], code
