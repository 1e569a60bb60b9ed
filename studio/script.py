# SPDX-License-Identifier: Apache-2.0
"""What a clip's operator does: a YAML file of steps, each a move to a key pose and a hold there.

Limbs that a step does not name stay as they are. Angles are degrees, lengths metres for an operator of 1.75 m (larger
ones reach in proportion). See docs and `studio/scripts/` for examples.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.errors import InputError

SCRIPTS = Path(__file__).parent / "scripts"
"""The scripts that come with the studio."""

Seconds = Annotated[float, Field(ge=0.0, le=60.0)]
Vector = tuple[float, float, float]


class ScriptError(InputError):
    """A script that can't be used. Scenarios: unknown name, bad YAML, unknown pose, a place out of reach."""


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reach(Strict):
    """A place for the hand: forward, outward and up from the middle between the shoulders [m].

    Attributes:
        at: the place.
        point: which point of the hand goes there, a name of `HAND_POINTS`.
        faces: where the palm looks, words out of forward back in out up down, first ones weighing more.
        fingers: where the middle finger's knuckle is seen from the wrist, in the same words.
    """

    at: Vector
    point: str = "palm"
    faces: str | None = None
    fingers: str | None = None


class LimbTarget(Strict):
    """One arm and its hand.

    Attributes:
        arm: name of an arm pose, or joint angles [deg] that change.
        reach: a place for the hand (instead of `arm`).
        hand: name of a hand pose, or joint angles [deg] that change.
    """

    arm: str | dict[str, float] | None = None
    reach: Reach | None = None
    hand: str | dict[str, float] | None = None


class GuestTarget(Strict):
    """A bystander's right hand: wrist to the right, up and away from the camera [m], turn [deg], hand pose."""

    at: Vector
    roll_deg: float = 0.0
    hand: str = "open"


class Step(Strict):
    """A move of `move_s` to the named targets, then a hold of `hold_s`."""

    label: str = ""
    move_s: Seconds = 0.5
    hold_s: Seconds = 0.2
    still: bool = False
    both: LimbTarget | None = None
    right: LimbTarget | None = None
    left: LimbTarget | None = None
    head: dict[str, float] = Field(default_factory=dict)
    torso: dict[str, float] = Field(default_factory=dict)
    guest: GuestTarget | None = None


class Script(Strict):
    """One clip's play.

    Attributes:
        title: one line for `booth studio list`.
        engage: begin with both open palms held still towards the camera.
        steps: what happens then.
    """

    title: str
    engage: bool = True
    steps: Annotated[list[Step], Field(min_length=1)]


def script_names() -> list[str]:
    """Names of the scripts that come with the studio."""
    return sorted(path.stem for path in SCRIPTS.glob("*.yaml"))


@cache
def load_script(name: str) -> Script:
    """A script by name, or from a YAML file of one's own.

    Raises:
        ScriptError: no such script, or not a script; every problem is named.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else SCRIPTS / f"{name}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if path.parent == SCRIPTS:
            raise ScriptError(
                f"no script {name!r}: expected one of {', '.join(script_names())}, or a YAML file"
            ) from None
        raise ScriptError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        return Script.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ScriptError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in error.errors()]
        raise ScriptError("\n".join([f"{path} is not a script of the studio:", *problems])) from error
