# SPDX-License-Identifier: Apache-2.0
"""How often a fault is made: a few times in every test run, as often as the fault table says in `make soak`."""

import os
from typing import TypeVar

Number = TypeVar("Number", int, float)

SOAK = os.environ.get("BOOTH_SOAK", "") not in ("", "0")


def counted(ci: Number, full: Number) -> Number:
    """``full`` with BOOTH_SOAK=1, else ``ci``."""
    return full if SOAK else ci
