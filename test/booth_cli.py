# SPDX-License-Identifier: Apache-2.0
"""Runs the `booth` command as people do."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output."""
        return json.loads(self.out.strip().splitlines()[-1])


def booth(*arguments: object, timeout_s: float = 120.0, **environ: str) -> Ran:
    """Run ``booth …`` and wait for its end."""
    result = subprocess.run(
        [sys.executable, "-m", "booth", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=os.environ | environ,
        check=False,
    )
    return Ran(result.returncode, result.stdout, result.stderr)


def assert_answer(ran: Ran, code: int, *words: str) -> None:
    """A clear message, the right exit code, no traceback."""
    assert "Traceback" not in ran.err + ran.out, ran.err
    for word in words:
        assert word in ran.err, ran.err
    assert ran.code == code, ran.err
