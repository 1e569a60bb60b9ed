# SPDX-License-Identifier: Apache-2.0
"""Films of the drawn operator, made when they are first needed and kept in the user's cache."""

from collections.abc import Callable, Sequence
from pathlib import Path

from booth.output import Progress, say
from graph.errors import InputError
from robots import Robot
from teleop.camera import CLIP, bundled_clip
from teleop.models import models_directory

TWO_HANDS = "two_hands"
"""The clip of the standard set in which both hands, arms and head move."""


def standard_films(names: Sequence[str] = (), stopping: Callable[[], bool] = lambda: False) -> list[Path]:
    """Films of the studio's standard set, all of them or those that are named; what is missing or out of date is drawn.

    Args:
        names: of films; none: all.
        stopping: whether somebody asked to stop; asked with every frame that is drawn.

    Raises:
        InputError: a name is not of the set, or the cache can't hold them; StudioError: they can't be drawn.
        KeyboardInterrupt: ``stopping`` said so; films that were complete are kept.
    """
    from studio.clip import film_path, is_made  # numba takes a second to load
    from studio.standard_set import standard_set
    from studio.workshop import Workshop

    directory = models_directory().parent / "studio"
    clips = standard_set()
    unknown = sorted(set(names) - {clip.name for clip in clips})
    if unknown:
        known = ", ".join(clip.name for clip in clips)
        raise InputError(f"not in the standard set: {', '.join(unknown)}; expected of {known}")
    clips = [clip for clip in clips if not names or clip.name in names]
    missing = [clip for clip in clips if not is_made(clip, directory)]
    if missing:
        say(f"[booth] drawing {len(missing)} of {len(clips)} films into {directory}, where they are kept")
        with Workshop() as workshop:
            for number, clip in enumerate(missing, 1):
                progress = Progress(f"{number}/{len(missing)} {clip.name}")

                def show(done: int, total: int, progress: Progress = progress) -> None:
                    if stopping():
                        raise KeyboardInterrupt
                    progress.show(done / total)

                workshop.make(clip, directory, show)
                progress.done()
    return [film_path(clip, directory) for clip in clips]


def demonstration_film(robot: Robot, source: str) -> Path:
    """What a demonstration shows: the given video, else the bundled hand, else, for a robot with arms or two hands, the
    drawn operator."""
    if source != CLIP:
        return Path(source)
    if robot.imitation.limbs in ((), ("right_hand",)):
        return bundled_clip()
    return standard_films([TWO_HANDS])[0]
