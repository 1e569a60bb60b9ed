# SPDX-License-Identifier: Apache-2.0
"""What can go wrong around a session; every message says expected, found and what to do next."""

from graph.errors import EXIT_INPUT, BoothError


class StoreError(BoothError):
    """The store of operators, tasks and sessions can't be used. Scenarios: damaged file, a file of another program, one
    of a newer version, no room, no permission."""

    exit_code = EXIT_INPUT


class SessionError(BoothError):
    """Something that can't be done now. Scenarios: unknown operator, no consent, an action that the phase has not."""

    exit_code = EXIT_INPUT
