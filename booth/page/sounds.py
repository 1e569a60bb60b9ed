# SPDX-License-Identifier: Apache-2.0
"""Which sound belongs to which change: the operator looks at the robot, not at the page."""

from booth.page.booth_word import Word

MOVING = (Word.ENGAGED, Word.REC)
TROUBLE = (Word.HOLD, Word.STOPPED)


class Sounds:
    """Remembers the last word and the last phase; one sound for each change."""

    def __init__(self) -> None:
        self._word: Word | None = None
        self._moving = False
        self._phase = ""
        self._redone = 0

    def see(self, word: Word, moving: bool, phase: str, redone: int = 0) -> list[str]:
        """What is to be heard now.

        Args:
            word: what the page shows.
            moving: whether the robot follows; with the word REC it may or may not.
            phase: of the session.
            redone: how many episodes are to be done again.
        """
        heard: list[str] = []
        if self._word is not None:
            if word in TROUBLE and self._word is not word:
                heard.append("fault")
            elif moving and not self._moving:
                heard.append("engage")
            elif self._moving and not moving:
                heard.append("release")
            heard += ["redo"] if redone > self._redone else self._of_phase(phase)
        self._word, self._moving, self._phase, self._redone = word, moving, phase, redone
        return heard

    def _of_phase(self, phase: str) -> list[str]:
        if phase == self._phase:
            return []
        if phase == "recording":
            return ["record"]
        return ["saved"] if self._phase in ("recording", "saving") and phase == "review" else []
