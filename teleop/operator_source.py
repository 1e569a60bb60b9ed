# SPDX-License-Identifier: Apache-2.0
"""Where landmarks of the operator come from, as the tracker's node sees it: a camera of this computer, or the link."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SourceState:
    """How it goes.

    Attributes:
        message: STARTING, TRACKING, NO_IMAGE or ENDED.
        reason: why nothing may be followed now; empty when all is well.
        code: the name of a page in docs/faults; empty: none.
        values: more of it, for /diagnostics.
    """

    message: str
    reason: str = ""
    code: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


class OperatorSource(Protocol):
    """What the node asks of a source; landmarks come by the callbacks that it was made with."""

    def start(self) -> None:
        """Begin."""

    def state(self) -> SourceState:
        """How it goes; raises a BoothError when it can't go on."""

    def facts(self) -> Mapping[str, object]:
        """Devices, models, settings: for provenance."""

    def close(self) -> None:
        """Stop all threads; may be called again."""
