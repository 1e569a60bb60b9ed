# SPDX-License-Identifier: Apache-2.0
"""What DDS is told before a process starts: stay on this machine, leave shared memory alone, have room for images.

Shared memory is out because a process that is killed while it holds a segment takes its readers down with it. The
discovery range LOCALHOST of rmw_fastrtps can't be used: it brings shared memory back and opens sockets of the kernel's
default size, in which three images fit. A FastDDS profile does what LOCALHOST promises without either.
"""

from collections.abc import Mapping
from pathlib import Path

PROFILE = str(Path(__file__).with_name("fastdds.xml"))
NETWORK_PROFILE = str(Path(__file__).with_name("fastdds_network.xml"))

BUFFER_BYTES = 4 << 20
"""Of each socket, as the profiles say; the kernel may allow less."""

RMEM_MAX = Path("/proc/sys/net/core/rmem_max")

_PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""FastDDS 2 (Jazzy) reads the first, FastDDS 3 (Kilted) the second."""

_RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_TRANSPORTS = "FASTDDS_BUILTIN_TRANSPORTS"
_OURS = {_RANGE: "SYSTEM_DEFAULT", **dict.fromkeys(_PROFILE_VARIABLES, PROFILE)}
"""SYSTEM_DEFAULT leaves discovery to the profile."""

_CHOICES = (*_OURS, _TRANSPORTS, "ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER", "ROS_LOCALHOST_ONLY")
_FASTDDS = ("", "rmw_fastrtps_cpp", "rmw_fastrtps_dynamic_cpp")


def middleware(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables to add to this environment; what it says already is never among them.

    Where the user has chosen nothing about DDS: our profile. Where they have chosen anything (a range, a profile,
    peers, another middleware), that stands, and only gaps are filled: LOCALHOST, UDP, and larger buffers.
    """
    free = environ.get("RMW_IMPLEMENTATION", "") in _FASTDDS
    if free and not any(environ.get(name) not in (None, "", _OURS.get(name)) for name in _CHOICES):
        wanted = _OURS
    else:
        wanted = {_RANGE: "LOCALHOST", _TRANSPORTS: "UDPv4"}
        if not any(environ.get(name) for name in _PROFILE_VARIABLES):
            wanted |= dict.fromkeys(_PROFILE_VARIABLES, NETWORK_PROFILE)
    return {name: value for name, value in wanted.items() if not environ.get(name)}


def buffer_shortage(rmem_max: Path = RMEM_MAX) -> str:
    """What keeps sockets from having the room that images need, and what to do; empty when nothing does."""
    try:
        allowed = int(rmem_max.read_text())
    except (OSError, ValueError):
        return ""
    if allowed >= BUFFER_BYTES:
        return ""
    return (
        f"net.core.rmem_max is {allowed}, expected {BUFFER_BYTES} or more: under load images get lost before they are"
        f" recorded. Run: sudo sysctl -w net.core.rmem_max={BUFFER_BYTES} net.core.wmem_max={BUFFER_BYTES}"
        " (docs/install.md says how to keep it)"
    )
