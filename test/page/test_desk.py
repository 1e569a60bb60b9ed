# SPDX-License-Identifier: Apache-2.0
"""Page, hand, foot and service come in by one door and mean the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from booth.page.ask import Ask
from booth.page.desk import Desk
from booth.selfcheck import SelfCheck
from booth.session.errors import SessionError
from booth.session.records import Operator, Task
from booth.session.store import Store
from booth.session.training import Training
from booth.session.workflow import Order, Workflow
from robots import load_robot

ROBOT = load_robot("hx5_d20_right")
S = 1_000_000_000


class Scene:
    """A desk and a recorder that does what it is asked."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.store.operators.add(Operator(id="ana", name="Ana"), 1)
        task = Task(id="cups", name="Cups", instruction="Stack the cups.", target=2, warm_up_s=5.0, record_s=60.0)
        self.store.tasks.add(task.model_copy(update={"reset_s": 5.0}))
        self.now_ns = 100 * S
        check = lambda now_ns: SelfCheck(ROBOT, now_ns, wants_servos=False, wants_recorder=False, hands=())  # noqa: E731
        workflow = Workflow(self.store, "", ROBOT.name, self.now_ns)
        self.desk = Desk(self.store, workflow, check, lambda now_ns: Training(ROBOT, now_ns, seed=1))

    def ask(self, kind: str, **values: object) -> list[Order]:
        return self._done(self.desk.ask(Ask(kind, values), self.now_ns))

    def gesture(self, event: str) -> list[Order]:
        return self._done(self.desk.gesture(event, self.now_ns))

    def pedal(self, event: str) -> list[Order]:
        return self._done(self.desk.pedal(event, self.now_ns))

    def wait(self, seconds: float) -> list[Order]:
        self.now_ns += round(seconds * S)
        if self.desk.check is not None:
            self.desk.check.saw_clock(0, {"driver": 1_000_000}, True, self.now_ns)
        return self._done(self.desk.tick(self.now_ns))

    def recorder(self, message: str, **values: str) -> list[Order]:
        return self._done(self.desk.workflow.saw_recorder(message, values, self.now_ns))

    def begin(self) -> None:
        self.ask("consent", operator="ana", agree=True)
        self.ask("begin", operator="ana", task="cups", training=False)

    def to_ready(self) -> None:
        self.begin()
        self.wait(0.1)
        self.ask("confirm", what="estop")
        self.wait(0.1)
        self.wait(6.0)
        assert self.desk.phase == "ready"

    def to_review(self) -> None:
        self.to_ready()
        self.gesture("record_start")
        self.recorder("RECORDING", take="take1")
        self.gesture("record_stop")
        self.recorder("SAVED", take="take1", episode="take1.h5", verdict="ok", findings="", rows="300")
        assert self.desk.phase == "review"

    def _done(self, orders: object) -> list[Order]:
        given = list(orders)  # type: ignore[call-overload]
        for order in given:
            self.desk.workflow.answered(order, True, "take1", self.now_ns)
        return given


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "booth.sqlite")
    yield made
    made.store.close()


def test_nobody_is_recorded_who_has_not_agreed(scene: Scene) -> None:
    with pytest.raises(SessionError, match="has not agreed"):
        scene.ask("begin", operator="ana", task="cups", training=False)
    scene.ask("consent", operator="ana", agree=False)
    assert not scene.store.operators.get("ana").consented
    scene.begin()
    assert scene.desk.phase == "check"


def test_a_session_waits_for_its_self_check_and_the_thumb_confirms_the_emergency_stop(scene: Scene) -> None:
    scene.begin()
    scene.wait(0.1)
    assert {name: state for name, state, _ in scene.desk.check_items(scene.now_ns)}["estop"] == "waiting"
    scene.wait(60.0)
    assert scene.desk.phase == "check"
    scene.gesture("yes")
    scene.wait(0.1)
    assert scene.desk.phase == "warm_up"
    assert scene.desk.check_items(scene.now_ns) == []


@pytest.mark.parametrize("way", ["page", "gesture", "pedal"])
def test_every_way_of_asking_does_the_same(scene: Scene, way: str) -> None:
    ways = {
        "page": lambda action, _sign, _foot: scene.ask("act", action=action),
        "gesture": lambda _action, sign, _foot: scene.gesture(sign),
        "pedal": lambda _action, _sign, foot: scene.pedal(foot),
    }
    do = ways[way]
    scene.to_ready()
    assert do("record", "record_start", "tap") == [Order.START]
    scene.recorder("RECORDING", take="take1")
    assert do("stop", "record_stop", "tap") == [Order.STOP]
    scene.recorder("SAVED", take="take1", episode="take1.h5", verdict="ok", findings="", rows="300")
    assert do("redo", "no", "hold") == [Order.DISCARD]
    assert scene.desk.session_view(scene.now_ns)["redone"] == 1


def test_both_thumbs_that_end_a_take_do_not_keep_it_in_the_same_breath(scene: Scene) -> None:
    scene.to_ready()
    scene.gesture("record_start")
    scene.recorder("RECORDING", take="take1")
    assert scene.gesture("record_stop") == [Order.STOP]
    assert scene.gesture("yes") == []
    assert scene.desk.phase == "saving"


def test_a_thumb_keeps_and_the_next_number_follows(scene: Scene) -> None:
    scene.to_review()
    scene.gesture("yes")
    assert scene.desk.phase == "reset"
    scene.wait(6.0)
    assert scene.desk.session_view(scene.now_ns)["episode"] == 2


def test_signs_that_mean_nothing_now_are_no_error(scene: Scene) -> None:
    scene.to_ready()
    for event in ("yes", "no", "record_stop", "engaged", "released: hands lowered"):
        assert scene.gesture(event) == []
    assert scene.pedal("hold") == []
    assert scene.desk.phase == "ready"


def test_before_a_session_the_signs_start_and_stop_takes_as_they_always_did(scene: Scene) -> None:
    assert scene.desk.gesture("record_start", scene.now_ns) == (Order.START,)
    assert scene.desk.gesture("record_stop", scene.now_ns) == (Order.STOP,)


def test_a_button_that_fits_nothing_now_says_what_does(scene: Scene) -> None:
    scene.to_ready()
    with pytest.raises(SessionError, match="possible now"):
        scene.ask("act", action="keep")
    with pytest.raises(SessionError, match="expected one of"):
        scene.ask("act", action="fly")


def test_training_records_nothing_and_ends_by_itself(scene: Scene) -> None:
    scene.ask("consent", operator="ana", agree=True)
    scene.ask("begin", operator="ana", task="", training=True)
    scene.wait(0.1)
    assert scene.desk.phase == "training"
    assert scene.desk.workflow.labels()["training"] is True
    for _ in range(8):
        assert scene.pedal("tap") == []
        scene.wait(0.1)
    assert scene.desk.phase == "choose"
    assert scene.desk.training is None


def test_the_language_of_the_page_becomes_the_operators(scene: Scene) -> None:
    scene.begin()
    scene.ask("language", language="ko")
    assert scene.store.operators.get("ana").language == "ko"
    with pytest.raises(SessionError):
        scene.ask("language", language="xx")
