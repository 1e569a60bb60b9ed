# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in a library of episodes."""

from graph.errors import EXIT_INPUT
from recorder.errors import RecorderError


class LibraryError(RecorderError):
    """A library, name, filter or edit that can't be used. Scenarios: unknown episode, a name that fits two, a cut
    outside the rows, an unreadable label file, a copy that does not read back."""

    exit_code = EXIT_INPUT


class CopyError(RecorderError):
    """A copy that did not succeed. Scenarios: other bytes came back than were sent, another file of that name is
    there, the place can't be reached."""
