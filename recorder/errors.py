# SPDX-License-Identifier: Apache-2.0
"""What can go wrong while recording and reading; every message says expected, found and what to do next."""

from graph.errors import EXIT_INPUT, BoothError


class RecorderError(BoothError):
    """Base of all errors of this package."""


class TakeError(RecorderError):
    """A take log that can't be written or used. Scenarios: disk full, not an MCAP file, no joint states in it, a
    topic nobody registered."""


class TakeInUseError(TakeError):
    """Another process still writes this take, or makes its episode: wait, and leave it alone."""


class EpisodeError(RecorderError):
    """An episode that can't be written or read. Scenarios: truncated or foreign file, missing dataset, a schema that
    is newer than this program."""

    exit_code = EXIT_INPUT


class ReplayError(RecorderError):
    """A replay that was refused or has failed. Scenarios: another robot, other joint names, actions outside the
    limits, driver in HOLD."""
