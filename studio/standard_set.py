# SPDX-License-Identifier: Apache-2.0
"""The standard set of clips, from `standard_set.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from studio.clip import Clip, clip_of
from studio.look import STANDARD, checked_look
from studio.script import Strict, load_script

SET_FILE = Path(__file__).parent / "standard_set.yaml"


class Entry(Strict):
    """One clip: name of its files, script, seed, and what of the look differs from the standard look."""

    name: str
    script: str
    seed: int = 0
    look: dict[str, str | float] = Field(default_factory=dict)


class StandardSet(Strict):
    """The clips in order."""

    clips: Annotated[list[Entry], Field(min_length=1)]


def standard_set(width: int = STANDARD.width, height: int = STANDARD.height) -> list[Clip]:
    """Every clip of the set, at the given image size."""
    entries = StandardSet.model_validate(yaml.safe_load(SET_FILE.read_text(encoding="utf-8"))).clips
    clips = []
    for entry in entries:
        look = checked_look({**entry.look, "width": width, "height": height}, seed=0)
        clips.append(clip_of(entry.name, entry.script, load_script(entry.script), look, entry.seed))
    return clips
