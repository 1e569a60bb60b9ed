# SPDX-License-Identifier: Apache-2.0
"""A session from the choice of operator and task to the last episode: the machine, the store and the recorder together.

Who uses it hands in the time (any one monotonic clock), carries out the orders and says how they were answered.
Everything is in the store before it is told, so that a new Workflow finds the session where the old one left it.
"""

from collections.abc import Callable, Mapping

from booth.session import view as seen_as
from booth.session.diary import Diary
from booth.session.errors import SessionError
from booth.session.hearing import GONE, Saved, hear, saved
from booth.session.machine import Happened, S, State, move_for, step
from booth.session.phases import ACTIONS, BACK, FORWARD, Event, Order, Phase
from booth.session.progress import midnight_ns, progress
from booth.session.records import Operator, Session
from booth.session.resuming import resume
from booth.session.store import Store

__all__ = ["Order", "Phase", "Workflow"]

ANSWER_WITHIN_NS = 10 * S
TIMER = "timer"

ANSWERS = {
    (Order.START, True): Event.STARTED,
    (Order.START, False): Event.REFUSED,
    (Order.STOP, True): Event.STOPPED,
    (Order.STOP, False): Event.UNSTOPPED,
    (Order.DISCARD, True): Event.DISCARDED,
    (Order.DISCARD, False): Event.UNDISCARDED,
    (Order.RESTORE, True): Event.RESTORED,
    (Order.RESTORE, False): Event.UNRESTORED,
}


class Workflow:
    """The session of one booth with one robot; an unfinished one is found again, paused.

    Args:
        store: operators, tasks, and what came of them.
        booth: name of the booth; may be empty.
        robot: name of the robot.
        now_ns: of the clock that all calls hand in [ns].
        ready: whether an operator, by id, has passed the training; None: nobody knows.

    Raises:
        StoreError: the store can't be used.
    """

    def __init__(
        self,
        store: Store,
        booth: str,
        robot: str,
        now_ns: int,
        ready: Callable[[str], bool | None] = lambda operator: None,
    ) -> None:
        self._store = store
        self._booth = booth
        self._robot = robot
        self._ready = ready
        self._state = State()
        self._session: Session | None = None
        self._operator_id = ""
        self._source = ""
        self._seen = ""
        self._told: tuple[str, str] | None = None
        self._noted: Saved | None = None
        self._cache: tuple[object, seen_as.Shown] | None = None
        found = resume(store, booth, robot)
        if found is not None:
            self._session, self._state = found
            self._operator_id, self._seen = self._session.operator, self._state.take
        self._began_ns = now_ns

    @property
    def phase(self) -> Phase:
        """Where the session is."""
        return self._state.phase

    @property
    def operator(self) -> str:
        """Id of who is at work; empty: nobody."""
        return self._operator_id

    def consent(self, operator: str, now_ns: int) -> None:
        """The operator agreed to today's text.

        Raises:
            SessionError: no such operator.
        """
        self._store.operators.consent(operator, self._store.now_ns())

    def begin(self, operator: str, task: str, now_ns: int, training: bool = False) -> None:
        """An operator begins a task, or to train, for which the task may be empty.

        Raises:
            SessionError: a session goes on; no such operator or task; the operator has not consented.
        """
        event = Event.TRAIN if training else Event.BEGIN
        if move_for(self._state, event) is None:
            raise SessionError(f"a session goes on (phase {self.phase.value}): finish it before you begin another")
        if self._state.asked is not None:
            raise SessionError("the recorder has not answered yet: try again in a few seconds")
        who = self._store.operators.get(operator)
        what = None if training and not task else self._store.tasks.get(task)
        _refuse_without_consent(who)
        self._session = None
        if what is not None and not training:
            wall_ns = self._store.now_ns()
            self._session = self._store.sessions.begin(who, what, self._booth, self._robot, wall_ns)
        self._operator_id = who.id
        self._happen(Happened(event, task=what), now_ns, "page")

    def act(self, action: str, now_ns: int, source: str = "page") -> list[Order]:
        """Do what somebody asks for; returns what to ask the recorder.

        Args:
            action: a key of `phases.ACTIONS`, or forward or back, which mean what the phase says.
            source: page, gesture, pedal, service …

        Raises:
            SessionError: it is unknown, or the phase does not have it; says what is possible.
        """
        name = {"forward": FORWARD, "back": BACK}.get(action, {}).get(self.phase, action)
        event = ACTIONS.get(name)
        move = None if event is None else move_for(self._state, event)
        if event is None or move is None:
            raise SessionError(self._refusal(action))
        if move.settled and self._state.asked is not None:
            raise SessionError(f"the recorder was asked to {self._state.asked.value} and has not answered yet: wait")
        if event is Event.RESUME and self._unheard:
            raise SessionError(f"the recorder has not told yet what became of {self._state.take}: wait a few seconds")
        if event is Event.RECORD:
            _refuse_without_consent(self._store.operators.get(self._operator_id, removed=True))
        return self._happen(Happened(event), now_ns, source)

    def tick(self, now_ns: int) -> list[Order]:
        """To be called a few times a second: countdowns, and a recorder that does not answer."""
        state, orders = self._state, []
        if self._unheard and now_ns - self._began_ns >= ANSWER_WITHIN_NS:
            orders += self.saw_recorder(GONE, {}, now_ns)
        if state.asked is not None and now_ns - state.asked_ns >= ANSWER_WITHIN_NS:
            orders += self.answered(state.asked, False, "the recorder did not answer within 10 s", now_ns)
        if self._state.deadline_ns is not None and now_ns >= self._state.deadline_ns:
            orders += self._happen(Happened(Event.OVER), now_ns, TIMER)
        return orders

    def saw_recorder(self, message: str, values: Mapping[str, str], now_ns: int) -> list[Order]:
        """The recorder told its state, or its process has ended (``GONE``)."""
        told = saved(message, values)
        if told is not None and told != self._noted:
            self._noted = told
            self._store.sessions.saved(told.take, told.episode, told.verdict, told.findings, told.rows)
        take = values.get("take", "")
        before = self._told[1] if self._told is not None else take
        happened = hear(self._state, self._seen, before, message, values)
        self._seen = take or self._seen
        self._told = (message, take)
        return [order for each in happened for order in self._happen(self._timed(each), now_ns, "recorder")]

    def saw_check(self, passed: bool, now_ns: int) -> None:
        """The self-check came to a result."""
        if passed:
            self._happen(Happened(Event.PASSED), now_ns, "check")

    def answered(self, order: Order, ok: bool, message: str, now_ns: int) -> list[Order]:
        """How the recorder answered an order: the name of the take, or why not."""
        late_start = order is Order.START and ok and self.phase not in (Phase.RECORDING, Phase.SAVING, Phase.REVIEW)
        if self._state.asked is not order and not late_start:
            return []
        if order is Order.START and ok:
            return self._happen(Happened(Event.STARTED, take=message), now_ns, "recorder") if message else []
        happened = Happened(ANSWERS[order, ok], said="" if ok else message)
        return self._happen(happened, now_ns, "recorder")

    def labels(self) -> dict[str, object]:
        """Content of `graph.topics.SESSION_LABELS`."""
        return seen_as.labels(self._state, self._session, self._who(), self._booth)

    def view(self, now_ns: int) -> dict[str, object]:
        """The page's "session"."""
        return seen_as.view(self._state, self._who(), self._source, self._shown(), self._ready, now_ns)

    def _happen(self, happened: Happened, now_ns: int, source: str) -> list[Order]:
        """One step, in the store before it is told."""
        before = self._state
        taken = step(before, happened, now_ns)
        if taken.state is before:
            return []
        if self._session is not None:
            diary = Diary(self._store, self._session, source)
            with self._store.transaction():
                diary.write(before, happened, taken)
        self._state = taken.state
        if source not in ("recorder", "check"):
            self._source = source
        if taken.state.phase is Phase.CHOOSE:
            self._session, self._operator_id = None, ""
        if taken.order is Order.DISCARD and self._told is not None and self._told[1] != taken.take:
            why = f"the recorder can't discard {taken.take} any longer: booth library delete {taken.take} --apply"
            self._happen(Happened(Event.UNDISCARDED, said=why), now_ns, "recorder")
            return []
        return [] if taken.order is None else [taken.order]

    @property
    def _unheard(self) -> bool:
        """Whether a take is to be found again, and the recorder has said nothing since this program began."""
        return self._told is None and self.phase is Phase.PAUSED and self._state.doing is Phase.SAVING

    def _timed(self, happened: Happened) -> Happened:
        """A take that is found again has been running for a while."""
        if happened.event is not Event.STARTED or happened.take != self._state.take or self._session is None:
            return happened
        last = self._store.sessions.last(self._session.id)
        elapsed_ns = 0 if last is None else max(0, self._store.now_ns() - last.started_ns)
        return Happened(Event.STARTED, take=happened.take, elapsed_ns=elapsed_ns)

    def _refusal(self, action: str) -> str:
        can = ", ".join(seen_as.possible(self._state)) or "begin"
        if action not in (*ACTIONS, "forward", "back"):
            return f"there is no action {action!r}: expected one of {', '.join([*ACTIONS, 'forward', 'back'])}"
        if action == "back" and self.phase in (Phase.READY, Phase.RESET):
            return f"what was kept stays kept (phase {self.phase.value}); possible now: {can}"
        return f"{action} is not possible in phase {self.phase.value}; possible now: {can}"

    def _who(self) -> Operator | None:
        if not self._operator_id:
            return None
        return next(one for one in self._shown().everybody if one.id == self._operator_id)

    def _shown(self) -> seen_as.Shown:
        """Looked up again when anything in the store has changed, or the day."""
        wall_ns = self._store.now_ns()
        key = (self._store.stamp, midnight_ns(wall_ns), self._operator_id)
        if self._cache is None or self._cache[0] != key:
            sums = progress(self._store.sessions, self._booth, self._operator_id, wall_ns)
            everybody = self._store.operators.all(removed=True)
            self._cache = key, seen_as.Shown(everybody, self._store.tasks.all(), sums.values())
        return self._cache[1]


def _refuse_without_consent(operator: Operator) -> None:
    if not operator.consented:
        raise SessionError(
            f"{operator.name} has not agreed to be recorded: the page asks, or booth operator consent {operator.id}"
        )
