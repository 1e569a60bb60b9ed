# SPDX-License-Identifier: Apache-2.0
"""A recorder without files: answers orders and tells its state as the real one does."""

from booth.session.phases import Order


class FakeRecorder:
    """What the recorder's node looks like from outside.

    Attributes:
        takes: every take there is and is not in the trash, with its verdict (empty: not saved).
        trash: takes that were discarded.
    """

    def __init__(self) -> None:
        self.takes: dict[str, str] = {}
        self.trash: list[str] = []
        self.running = ""
        self.last = ""
        self.full = False
        self.made = 0
        self.message, self.values = "READY", {"take": "", "reason": ""}

    def state(self) -> tuple[str, dict[str, str]]:
        """The state message."""
        return self.message, dict(self.values)

    def obey(self, order: Order) -> tuple[bool, str]:
        """Answer a service."""
        return {
            Order.START: self.start,
            Order.STOP: self.stop,
            Order.DISCARD: self.discard,
            Order.RESTORE: self.restore,
        }[order]()

    def start(self) -> tuple[bool, str]:
        if self.running:
            return False, f"{self.running} is being recorded already"
        if self.full:
            return False, "only 0.50 GB free: free some space"
        self.made += 1
        self.running = f"take-{self.made}"
        self.takes[self.running] = ""
        self._tell("RECORDING", self.running)
        return True, self.running

    def stop(self, reason: str = "stopped") -> tuple[bool, str]:
        if not self.running:
            return False, "nothing is being recorded: start a take first"
        self.last, self.running = self.running, ""
        self._tell("SAVING", self.last, reason)
        return True, self.last

    def save(self, verdict: str = "ok") -> None:
        """The finaliser is done."""
        if self.message == "SAVING":
            self.takes[self.last] = verdict
            word = "FAILED" if verdict == "failed" else "SAVED"
            episode = "" if verdict == "failed" else f"/episodes/{self.last}.h5"
            more = {"verdict": verdict, "findings": "late, gaps" if verdict != "ok" else "", "episode": episode}
            self._tell(word, self.last, f"check: {verdict}", rows="412", **more)

    def discard(self) -> tuple[bool, str]:
        if self.running:
            self.last, self.running = self.running, ""
        elif self.message == "SAVING":
            return False, "the last take is still being saved: discard it when it is saved"
        if self.last not in self.takes:
            return False, "there is no take to discard: none was recorded since the recorder started"
        self.trash.append(self.last)
        self.before = self.takes.pop(self.last)
        self._tell("READY", "", f"{self.last} was moved to trash/")
        return True, self.last

    def restore(self) -> tuple[bool, str]:
        if not self.trash or self.running:
            return False, "nothing was discarded"
        self.last = self.trash.pop()
        self.takes[self.last] = self.before
        self._tell("SAVED", self.last, "restored", verdict=self.before or "ok", rows="412")
        return True, self.last

    def die(self) -> None:
        """The process ends and another begins; what was recorded is recovered by it."""
        self.running, self.last = "", ""
        self._tell("READY", "")

    def _tell(self, message: str, take: str, reason: str = "", **more: str) -> None:
        self.message, self.values = message, {"take": take, "reason": reason, **more}
