# SPDX-License-Identifier: Apache-2.0
"""Loops over pixels, compiled once for this machine and kept beside the sources (or in the user's cache)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile to machine code at the first call; where nothing can be kept, at the first call of each process.

    A kept function is compiled again when its own file changes, so constants of other files come in as arguments.
    """
    try:
        return numba.njit(cache=True, fastmath=True, nogil=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(fastmath=True, nogil=True)(function)  # type: ignore[no-any-return]
