# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C as a question that a loop asks; on any operating system."""

import signal


class StopRequest:
    """Remembers SIGINT, SIGTERM and, where there is one, SIGHUP; a context manager that restores the old handlers."""

    def __init__(self) -> None:
        self._asked = False
        self._old: dict[int, object] = {}

    def __call__(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked

    def __enter__(self) -> "StopRequest":
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                self._old[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _ask(self, _number: int, _frame: object) -> None:
        self._asked = True
