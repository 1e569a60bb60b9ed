# SPDX-License-Identifier: Apache-2.0
"""How DDS carries a graph: on this machine, without shared memory, with room for images; anybody's tools find it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from booth.supervisor import graph_environment
from graph.middleware import BUFFER_BYTES, NETWORK_PROFILE, PROFILE, RMEM_MAX, buffer_shortage, middleware

RANGE, TRANSPORTS = "ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTDDS_BUILTIN_TRANSPORTS"
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
PATIENCE_S = 80.0
SPACE = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"


def plain_environment() -> dict[str, str]:
    """A terminal in which nobody has said anything about DDS."""
    return {name: value for name, value in os.environ.items() if name not in (RANGE, TRANSPORTS, *PROFILES)}


def chatter(name: str, others: list[str], environ: dict[str, str]) -> "subprocess.Popen[str]":
    script = Path(__file__).with_name("chatter_node.py")
    argv = [sys.executable, str(script), name, str(PATIENCE_S), *others]
    return subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> dict:
    out, _ = process.communicate(timeout=2 * PATIENCE_S)
    return json.loads(out.splitlines()[-1])


def room_bytes() -> int:
    """What a large socket has here; the kernel counts its own needs, too, and so doubles it."""
    return 2 * min(BUFFER_BYTES, int(RMEM_MAX.read_text()))


@pytest.fixture
def graph_of_ours(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a graph that is started in a plain terminal."""
    for name in (RANGE, TRANSPORTS, *PROFILES):
        monkeypatch.delenv(name, raising=False)
    return graph_environment()


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.parametrize("ours_first", [True, False], ids=["graph first", "tool first"])
@pytest.mark.parametrize("discovery", ["", "LOCALHOST", "SUBNET"])
def test_nodes_are_found_by_foreign_tools_and_use_large_sockets_of_this_machine_only(
    graph_of_ours: dict[str, str], discovery: str, ours_first: bool
) -> None:
    foreign = plain_environment() | ({RANGE: discovery} if discovery else {})
    names = {"one": graph_of_ours, "two": graph_of_ours, "tool": foreign}
    order = list(names) if ours_first else list(reversed(names))
    found = {}
    processes = {name: chatter(name, [other for other in names if other != name], names[name]) for name in order}
    for name, process in processes.items():
        found[name] = told(process)
    assert {name: item["heard"] for name, item in found.items()} == {name: sorted({*names} - {name}) for name in names}
    for name in ("one", "two"):
        assert found[name]["shared_memory"] == []
        addresses, rooms = zip(*found[name]["sockets"], strict=True)
        assert set(addresses) == {"127.0.0.1"}
        assert min(sorted(rooms)[1:]) >= room_bytes()  # one only sends


@pytest.mark.ros
@pytest.mark.slow
def test_a_graph_that_may_be_heard_elsewhere_has_large_sockets_too(graph_of_ours: dict[str, str]) -> None:
    environ = plain_environment() | {RANGE: "SUBNET"}
    environ |= middleware(environ)
    process = chatter("one", [], environ)
    found = told(process)
    assert found["shared_memory"] == []
    assert sum(room >= room_bytes() for _, room in found["sockets"]) >= 3


def test_our_profile_is_used_where_nothing_was_chosen_and_added_only_once() -> None:
    added = middleware({})
    assert added == {RANGE: "SYSTEM_DEFAULT", **dict.fromkeys(PROFILES, PROFILE)}
    assert middleware(added) == {}


@pytest.mark.parametrize("discovery", ["LOCALHOST", "SUBNET", "OFF"])
def test_a_range_that_was_chosen_stays_and_gets_room(discovery: str) -> None:
    chosen = {RANGE: discovery}
    added = middleware(chosen)
    assert added == {TRANSPORTS: "UDPv4", **dict.fromkeys(PROFILES, NETWORK_PROFILE)}
    assert middleware(chosen | added) == {}


@pytest.mark.parametrize("variable", PROFILES)
def test_a_profile_that_was_chosen_stays_and_is_kept_on_this_machine(variable: str) -> None:
    assert middleware({variable: "/lab/dds.xml"}) == {RANGE: "LOCALHOST", TRANSPORTS: "UDPv4"}


@pytest.mark.parametrize(
    "chosen",
    [
        {"ROS_STATIC_PEERS": "robot.local"},
        {"ROS_LOCALHOST_ONLY": "1"},
        {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"},
        {TRANSPORTS: "LARGE_DATA"},
    ],
    ids=lambda chosen: next(iter(chosen)),
)
def test_whoever_has_set_up_dds_in_another_way_is_kept_on_this_machine_without_our_profile(chosen: dict) -> None:
    added = middleware(chosen)
    assert added[RANGE] == "LOCALHOST"
    assert added[PROFILES[0]] == NETWORK_PROFILE
    assert not set(chosen) & set(added)


def test_profiles_are_as_large_as_they_are_said_to_be() -> None:
    rooms = [
        int(element.text or 0)
        for profile in (PROFILE, NETWORK_PROFILE)
        for element in ElementTree.parse(profile).iter()
        if element.tag.endswith("BufferSize")
    ]
    assert rooms == [BUFFER_BYTES] * 4


def test_small_buffers_are_named_with_what_to_do(tmp_path: Path) -> None:
    limit = tmp_path / "rmem_max"
    limit.write_text("212992\n")
    assert "net.core.rmem_max is 212992, expected 4194304" in buffer_shortage(limit)
    assert "sysctl -w" in buffer_shortage(limit)
    limit.write_text(f"{BUFFER_BYTES}\n")
    assert buffer_shortage(limit) == ""
    assert buffer_shortage(tmp_path / "absent") == ""
