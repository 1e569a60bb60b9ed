# SPDX-License-Identifier: Apache-2.0
"""Where everything that is asked for arrives, from page, hand, foot or ROS service: one way in, one answer."""

from collections.abc import Callable, Mapping, Sequence

from booth.page.ask import Ask
from booth.selfcheck import ESTOP, SelfCheck
from booth.session.errors import SessionError
from booth.session.store import Store
from booth.session.training import Training
from booth.session.workflow import Order, Workflow

Orders = Sequence[Order]
Json = dict[str, object]

GESTURES: Mapping[tuple[str, str], str] = {
    ("record_start", "warm_up"): "next",
    ("record_start", "ready"): "record",
    ("record_stop", "recording"): "stop",
    ("yes", "review"): "keep",
    ("yes", "reset"): "next",
    ("yes", "training"): "next",
    ("no", "review"): "redo",
    ("no", "training"): "redo",
}
"""What a sign of teleop means in a phase; elsewhere it means nothing, and nobody is told off for it."""

FREE_TAKES: Mapping[str, Order] = {"record_start": Order.START, "record_stop": Order.STOP}
"""Before a session has begun, the same signs start and stop takes that belong to nobody's count."""

PEDAL: Mapping[str, str] = {"tap": "forward", "hold": "back"}
TRAINING_WORDS = {"forward": "next", "back": "redo"}


class Desk:
    """Session, self-check and training behind one counter; no ROS, no web; handed the time.

    Args:
        store: operators, tasks and what became of them.
        workflow: the session.
        new_check, new_training: make one when a session needs it.
        ready: whether an operator has passed the training.
    """

    def __init__(
        self,
        store: Store,
        workflow: Workflow,
        new_check: Callable[[int], SelfCheck],
        new_training: Callable[[int], Training],
        ready: Callable[[str], bool | None] = lambda operator: None,
    ) -> None:
        self._store = store
        self.workflow = workflow
        self._new_check = new_check
        self._new_training = new_training
        self._ready = ready
        self.check: SelfCheck | None = None
        self.training: Training | None = None

    @property
    def phase(self) -> str:
        """Of the session."""
        return self.workflow.phase.value

    # --- who asks ----------------------------------------------------------------------------------------------

    def ask(self, ask: Ask, now_ns: int) -> Orders:
        """What a browser asks for.

        Raises:
            SessionError: it can't be done now; says what can.
        """
        if ask.kind == "act":
            return self.act(ask.word("action"), "page", now_ns)
        if ask.kind == "begin":
            self.workflow.begin(ask.word("operator"), ask.word("task"), now_ns, ask.flag("training"))
        elif ask.kind == "consent" and ask.flag("agree"):
            self.workflow.consent(ask.word("operator"), now_ns)
        elif ask.kind == "confirm" and self.check is not None:
            self.check.confirm(ask.word("what"), now_ns)
        elif ask.kind == "language" and self.workflow.operator:
            self._store.set_language(self.workflow.operator, ask.word("language"))
        return ()

    def act(self, action: str, source: str, now_ns: int) -> Orders:
        """One action by its name.

        Raises:
            SessionError: it can't be done now; says what can.
        """
        if action == "recheck" and self.phase == "check":
            self.check = self._new_check(now_ns)
            return ()
        word = TRAINING_WORDS.get(action, action)
        if self.training is not None and self.phase == "training" and word in ("next", "redo"):
            self.training.act(word, now_ns)
            return ()
        return self.workflow.act(action, now_ns, source)

    def gesture(self, event: str, now_ns: int) -> Orders:
        """What the operator's hands said, a word of `graph.topics.TELEOP_EVENT`."""
        if event == "yes" and self.check is not None:
            self.check.confirm(ESTOP, now_ns)
            return ()
        if self.phase == "choose" and event in FREE_TAKES:
            return (FREE_TAKES[event],)
        action = GESTURES.get((event, self.phase))
        return self._quietly(action, "gesture", now_ns) if action else ()

    def pedal(self, event: str, now_ns: int) -> Orders:
        """What the operator's foot said: tap or hold."""
        action = PEDAL.get(event)
        return self._quietly(action, "pedal", now_ns) if action else ()

    def tick(self, now_ns: int) -> Orders:
        """Called regularly: countdowns, the end of the self-check, scores of the training."""
        self._look_at_check(now_ns)
        self._look_at_training(now_ns)
        return self.workflow.tick(now_ns)

    # --- what is shown -----------------------------------------------------------------------------------------

    def session_view(self, now_ns: int) -> Json:
        """The page's "session"."""
        return self.workflow.view(now_ns)

    def training_view(self, now_ns: int) -> Json | None:
        """The page's "training"; None outside of it."""
        return None if self.training is None else self.training.view(now_ns)

    def check_items(self, now_ns: int) -> list[tuple[str, str, str]]:
        """Name, state and text of every item of the self-check; none outside of it."""
        if self.check is None:
            return []
        return [(item.name, item.state.value, item.text) for item in self.check.items(now_ns)]

    # --- how it is done ----------------------------------------------------------------------------------------

    def _quietly(self, action: str, source: str, now_ns: int) -> Orders:
        """A sign or a tap that fits nothing now is no error: hands and feet move anyway."""
        try:
            return self.act(action, source, now_ns)
        except SessionError:
            return ()

    def _look_at_check(self, now_ns: int) -> None:
        if self.phase != "check":
            self.check = None
            return
        if self.check is None:
            self.check = self._new_check(now_ns)
        if self.check.passed(now_ns):
            self.workflow.saw_check(True, now_ns)
            self.check = None

    def _look_at_training(self, now_ns: int) -> None:
        if self.phase != "training":
            self.training = None
            return
        if self.training is None:
            self.training = self._new_training(now_ns)
        operator = self.workflow.operator
        for scored in self.training.take_scores():
            self._store.add_score(operator, scored.exercise, scored.score, scored.details)
            self.training.ready = self._ready(operator)
        if self.training.done:
            self.workflow.act("finish", now_ns, "training")
