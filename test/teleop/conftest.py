# SPDX-License-Identifier: Apache-2.0
"""Laws are checked however slow the machine is: how fast things are is the benchmarks' business."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.register_profile("many laws", settings.get_profile("untimed"), max_examples=50)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def fewer_examples() -> Iterator[None]:
    """This room has a hundred cheap laws: half as many examples of each; those that need more say so."""
    settings.load_profile("many laws")
    yield
    settings.load_profile("untimed")
