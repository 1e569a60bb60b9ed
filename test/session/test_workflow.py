# SPDX-License-Identifier: Apache-2.0
"""A session from begin to done, and everything that can come in between."""

import json

import pytest
from fake_recorder import FakeRecorder

from booth.session.errors import SessionError
from booth.session.phases import Order, Phase
from booth.session.records import Decision, Discard, Operator, Task
from booth.session.store import Store
from booth.session.workflow import Workflow

S = 1_000_000_000
ANA = Operator(id="ana", name="Ana", language="uz", profile="ana-2")
CUPS = Task(
    id="cups", name="Cups", instruction="Stack two cups.", target=2, warm_up_s=10, record_s=30, reset_s=5, review_s=20
)


class Booth:
    """A workflow with its recorder, as the page's node runs them; time moves only by `pass_s`."""

    def __init__(self, path):
        self.now_ns = 50 * S
        self.wall_ns = 1_795_000_000 * S
        self.store = Store(path, now_ns=lambda: self.wall_ns)
        self.recorder = FakeRecorder()
        self.orders = []
        self.store.operators.add(ANA, self.wall_ns)
        self.store.operators.consent("ana", self.wall_ns)
        self.store.tasks.add(CUPS)
        self.flow = Workflow(self.store, "b1", "op3", self.now_ns)

    def act(self, action, source="page"):
        self.carry_out(self.flow.act(action, self.now_ns, source))

    def carry_out(self, orders):
        for order in orders:
            self.orders.append(order)
            ok, message = self.recorder.obey(order)
            self.carry_out(self.flow.answered(order, ok, message, self.now_ns))
            self.look()

    def look(self):
        """The recorder's state comes in."""
        self.carry_out(self.flow.saw_recorder(*self.recorder.state(), self.now_ns))

    def pass_s(self, seconds):
        self.now_ns += round(seconds * S)
        self.wall_ns += round(seconds * S)
        self.carry_out(self.flow.tick(self.now_ns))

    def ready(self):
        self.flow.begin("ana", "cups", self.now_ns)
        self.flow.saw_check(True, self.now_ns)
        self.act("next")
        assert self.phase == "ready"

    def record(self, verdict="ok"):
        self.act("record")
        self.pass_s(3)
        self.act("stop")
        self.recorder.save(verdict)
        self.look()
        assert self.phase == "review"

    def crash(self):
        """Another process with the same store; its clock has another zero."""
        self.store.close()
        self.store = Store(self.store.path, now_ns=lambda: self.wall_ns)
        self.now_ns = 3 * S
        self.flow = Workflow(self.store, "b1", "op3", self.now_ns)

    @property
    def phase(self):
        return self.flow.phase.value

    @property
    def view(self):
        return self.flow.view(self.now_ns)

    @property
    def reason(self):
        return self.view["reason"]

    def counts(self):
        return tuple(self.view[name] for name in ("episode", "kept", "redone", "skipped"))

    def attempts(self):
        return [(one.number, one.attempt, one.decision.value) for one in self.store.sessions.attempts()]


@pytest.fixture
def booth(tmp_path):
    made = Booth(tmp_path / "booth.sqlite")
    yield made
    made.store.close()


def test_a_session_goes_from_check_to_done_with_countdowns(booth):
    assert (booth.phase, booth.view["actions"]) == ("choose", [])
    booth.flow.begin("ana", "cups", booth.now_ns)
    assert booth.phase == "check"
    booth.flow.saw_check(False, booth.now_ns)
    assert booth.phase == "check"
    booth.flow.saw_check(True, booth.now_ns)
    booth.pass_s(4)
    assert (booth.phase, booth.view["countdown_s"]) == ("warm_up", 6.0)
    booth.pass_s(6)
    assert (booth.phase, booth.view["countdown_s"]) == ("ready", None)
    for number in (1, 2):
        booth.act("record", "pedal")
        assert (booth.phase, booth.view["countdown_s"], booth.counts()[0]) == ("recording", 30.0, number)
        booth.pass_s(30)
        assert booth.phase == "saving"
        booth.recorder.save()
        booth.look()
        assert booth.phase == "review"
        booth.act("keep")
        booth.pass_s(5)
    assert (booth.phase, booth.counts()) == ("done", (3, 2, 0, 0))
    assert booth.orders == [Order.START, Order.STOP] * 2
    (session,) = booth.store.sessions.all()
    assert (session.end_reason, session.ended_ns > 0) == ("all episodes are there", True)
    assert booth.attempts() == [(1, 1, "kept"), (2, 1, "kept")]


def test_the_episode_in_the_store_is_what_the_recorder_said(booth):
    booth.ready()
    booth.record("degraded")
    (attempt,) = booth.store.sessions.attempts()
    assert (attempt.take, attempt.episode, attempt.rows) == ("take-1", "/episodes/take-1.h5", 412)
    assert (attempt.verdict, attempt.findings) == ("degraded", ("late", "gaps"))


def test_only_an_ok_verdict_keeps_itself(booth):
    booth.ready()
    booth.record("ok")
    assert booth.view["countdown_s"] == 20.0
    booth.pass_s(20)
    assert (booth.phase, booth.counts()) == ("reset", (2, 1, 0, 0))
    assert booth.store.sessions.last(booth.flow.labels()["session"]).source == "timer"
    for verdict in ("degraded", "failed"):
        booth.act("next")
        booth.record(verdict)
        booth.pass_s(1000)
        assert (booth.phase, booth.view["countdown_s"]) == ("review", None)
        booth.act("redo")
    assert booth.counts() == (2, 1, 2, 0)


def test_a_take_is_redone_at_the_same_number_and_discarded(booth):
    booth.ready()
    booth.record("failed")
    booth.act("redo", "gesture")
    assert (booth.phase, booth.counts(), booth.recorder.trash) == ("reset", (1, 0, 1, 0), ["take-1"])
    (first,) = booth.store.sessions.attempts()
    assert (first.decision, first.discard, first.source) == (Decision.REDONE, Discard.DONE, "gesture")
    booth.act("next")
    booth.record()
    booth.act("keep")
    assert booth.attempts() == [(1, 1, "redone"), (1, 2, "kept")]


def test_skip_leaves_the_number_out_with_and_without_a_take(booth):
    booth.ready()
    booth.act("skip")
    assert (booth.phase, booth.counts()) == ("ready", (2, 0, 0, 1))
    booth.record()
    booth.act("skip")
    assert (booth.counts(), booth.recorder.trash) == ((3, 0, 0, 2), ["take-1"])
    assert booth.attempts() == [(1, 1, "skipped"), (2, 1, "skipped")]


def test_a_pedal_that_is_held_ends_the_take_and_does_it_again_without_a_review(booth):
    booth.ready()
    booth.act("forward", "pedal")
    booth.act("back", "pedal")
    assert (booth.phase, booth.counts()) == ("saving", (1, 0, 1, 0))
    booth.recorder.save()
    booth.look()
    assert (booth.phase, booth.recorder.trash, booth.view["source"]) == ("reset", ["take-1"], "pedal")


def test_a_tap_of_the_pedal_means_what_the_phase_says(booth):
    booth.flow.begin("ana", "cups", booth.now_ns)
    booth.flow.saw_check(True, booth.now_ns)
    booth.act("pause")
    phases = []
    for _ in range(4):
        booth.act("forward")
        phases.append(booth.phase)
    booth.recorder.save("degraded")
    booth.look()
    for _ in range(2):
        booth.act("forward")
        phases.append(booth.phase)
    assert phases == ["warm_up", "ready", "recording", "saving", "reset", "ready"]


def test_what_was_kept_is_not_redone_by_the_pedal(booth):
    booth.ready()
    with pytest.raises(SessionError, match=r"stays kept \(phase ready\)"):
        booth.act("back")


def test_redo_while_saving_waits_and_discards_when_saved(booth):
    booth.ready()
    booth.act("record")
    booth.act("stop")
    booth.act("redo")
    assert (booth.phase, booth.recorder.trash) == ("saving", [])
    assert "redo" not in booth.view["actions"]
    booth.pass_s(60)
    booth.recorder.save()
    booth.look()
    assert (booth.phase, booth.recorder.trash, booth.counts()) == ("reset", ["take-1"], (1, 0, 1, 0))


@pytest.mark.parametrize(("throw", "number"), [("redo", 1), ("skip", 2)])
def test_a_discarded_take_comes_back_into_its_review(booth, throw, number):
    booth.ready()
    booth.record("degraded")
    booth.act(throw)
    assert booth.counts()[0] == number and "undo" in booth.view["actions"]
    booth.act("undo")
    assert (booth.phase, booth.counts(), booth.recorder.trash) == ("review", (1, 0, 0, 0), [])
    assert booth.attempts() == [(1, 1, "undecided")]
    booth.act("keep")
    assert booth.attempts() == [(1, 1, "kept")]
    with pytest.raises(SessionError, match="undo is not possible in phase reset"):
        booth.act("undo")


def test_a_discarded_take_that_somebody_else_brings_back_is_reviewed_again(booth):
    booth.ready()
    booth.record("degraded")
    booth.act("redo")
    booth.recorder.restore()
    booth.look()
    assert (booth.phase, booth.counts(), booth.attempts()) == ("review", (1, 0, 0, 0), [(1, 1, "undecided")])


def test_the_next_take_ends_what_undo_could_bring_back(booth):
    booth.ready()
    booth.record()
    booth.act("redo")
    booth.act("next")
    booth.record()
    booth.act("keep")
    assert "undo" not in booth.view["actions"]


def test_a_recorder_that_refuses_leads_back_to_ready_with_the_reason(booth):
    booth.ready()
    booth.recorder.full = True
    booth.act("record")
    assert (booth.phase, booth.reason) == ("ready", "only 0.50 GB free: free some space")
    booth.recorder.full = False
    booth.act("record")
    assert (booth.phase, booth.reason, booth.attempts()) == ("recording", "", [(1, 1, "undecided")])


def test_a_recorder_that_does_not_answer_leads_back_to_ready(booth):
    booth.ready()
    booth.flow.act("record", booth.now_ns)
    with pytest.raises(SessionError, match="was asked to start and has not answered"):
        booth.act("stop")
    booth.pass_s(9)
    assert booth.phase == "recording"
    booth.pass_s(1)
    assert (booth.phase, booth.reason) == ("ready", "the recorder did not answer within 10 s")
    booth.recorder.start()
    booth.look()
    assert booth.phase == "recording"


def test_a_recorder_that_does_not_stop_is_asked_again(booth):
    booth.ready()
    booth.act("record")
    assert booth.flow.act("stop", booth.now_ns) == [Order.STOP]
    booth.pass_s(10)
    assert booth.phase == "recording"
    booth.pass_s(5)
    assert (booth.phase, booth.recorder.message) == ("saving", "SAVING")


@pytest.mark.parametrize("stopped", [False, True])
def test_a_recorder_that_dies_says_so_and_the_number_is_recorded_again(booth, stopped):
    booth.ready()
    booth.act("record")
    if stopped:
        booth.act("stop")
    booth.recorder.die()
    booth.flow.saw_recorder("GONE", {}, booth.now_ns)
    assert (booth.phase, booth.counts()) == ("reset", (1, 0, 0, 0))
    assert booth.reason == "the recorder has ended, take-1 is cut short: episode 1 is recorded again"
    booth.act("next")
    booth.record()
    booth.act("keep")
    assert booth.attempts() == [(1, 1, "undecided"), (1, 2, "kept")]


def test_a_recorder_that_was_replaced_unnoticed_has_lost_the_take(booth):
    booth.ready()
    booth.act("record")
    booth.recorder.die()
    booth.look()
    assert booth.phase == "reset"
    assert "does not know take-1 any longer: episode 1 is recorded again" in booth.reason


def test_an_older_state_of_the_recorder_does_not_end_a_take_that_just_began(booth):
    booth.ready()
    booth.look()
    (order,) = booth.flow.act("record", booth.now_ns)
    before = booth.recorder.state()
    booth.flow.answered(order, *booth.recorder.start(), booth.now_ns)
    booth.flow.saw_recorder(*before, booth.now_ns)
    assert booth.phase == "recording"


def test_a_take_that_a_full_disk_ends_is_reviewed_with_the_reason(booth):
    booth.ready()
    booth.act("record")
    booth.recorder.stop("the disk is almost full: the take was closed while it can still be saved")
    booth.look()
    assert (booth.phase, booth.orders) == ("saving", [Order.START])
    booth.recorder.save("degraded")
    booth.look()
    assert booth.phase == "review" and "the disk is almost full" in booth.reason


@pytest.mark.parametrize("phase", ["check", "warm_up", "ready", "reset", "paused"])
def test_a_take_that_somebody_else_starts_is_the_sessions(booth, phase):
    booth.flow.begin("ana", "cups", booth.now_ns)
    if phase != "check":
        booth.flow.saw_check(True, booth.now_ns)
    if phase in ("ready", "reset"):
        booth.act("next")
    if phase == "reset":
        booth.record()
        booth.act("redo")
    if phase == "paused":
        booth.act("pause")
    assert booth.phase == phase
    booth.recorder.start()
    booth.look()
    assert (booth.phase, booth.view["countdown_s"]) == ("recording", 30.0)
    booth.recorder.stop()
    booth.look()
    booth.recorder.save()
    booth.look()
    booth.act("keep")
    assert booth.attempts()[-1][2] == "kept"
    assert booth.counts()[:2] == (2, 1)


@pytest.mark.parametrize(("verdict", "left"), [("ok", "kept"), ("degraded", "undecided")])
def test_a_take_that_is_started_during_a_review_leaves_the_last_one_to_its_verdict(booth, verdict, left):
    booth.ready()
    booth.record(verdict)
    booth.recorder.start()
    booth.look()
    assert booth.phase == "recording"
    assert [decision for _, _, decision in booth.attempts()] == [left, "undecided"]
    assert booth.recorder.trash == []


def test_a_take_that_somebody_else_discards_is_redone(booth):
    booth.ready()
    booth.record()
    booth.recorder.discard()
    booth.look()
    assert (booth.phase, booth.attempts(), booth.orders) == ("reset", [(1, 1, "redone")], [Order.START, Order.STOP])


def test_another_take_is_never_discarded_in_place_of_ours(booth):
    booth.ready()
    booth.record("degraded")
    booth.recorder.die()
    booth.look()
    booth.act("redo")
    assert (booth.phase, booth.orders) == ("reset", [Order.START, Order.STOP])
    assert "booth library delete take-1 --apply" in booth.reason
    assert booth.store.sessions.attempts()[0].discard is Discard.REFUSED


def test_a_verdict_that_comes_too_late_is_noted(booth):
    booth.ready()
    booth.act("record")
    booth.act("stop")
    booth.pass_s(301)
    assert (booth.phase, booth.attempts()) == ("reset", [(1, 1, "undecided")])
    booth.recorder.save("degraded")
    booth.look()
    assert booth.phase == "reset"
    assert booth.store.sessions.attempts()[0].verdict == "degraded"


def test_a_pause_stops_the_countdown_and_goes_on_with_what_was_left(booth):
    booth.ready()
    booth.record()
    booth.pass_s(5)
    booth.act("pause")
    booth.pass_s(3600)
    assert (booth.phase, booth.view["countdown_s"]) == ("paused", None)
    booth.act("resume")
    assert (booth.phase, booth.view["countdown_s"]) == ("review", 15.0)


@pytest.mark.parametrize("action", ["pause", "finish"])
def test_nothing_pauses_or_finishes_while_a_take_runs_or_is_saved(booth, action):
    booth.ready()
    booth.act("record")
    with pytest.raises(SessionError, match=f"{action} is not possible in phase recording; possible now: stop, redo"):
        booth.act(action)
    booth.act("stop")
    with pytest.raises(SessionError, match=f"{action} is not possible in phase saving"):
        booth.act(action)


def test_finish_ends_early_and_next_leads_to_the_choice(booth):
    booth.ready()
    booth.record()
    booth.act("finish")
    assert (booth.phase, booth.attempts()) == ("done", [(1, 1, "kept")])
    assert booth.store.sessions.all()[0].end_reason == "finished by the operator"
    assert booth.view["operator"]["id"] == "ana"
    booth.act("next")
    assert (booth.phase, booth.view["operator"], booth.flow.operator) == ("choose", None, "")


def test_in_training_nothing_is_recorded(booth):
    booth.flow.begin("ana", "", booth.now_ns, training=True)
    labels = booth.flow.labels()
    assert (booth.phase, labels["training"], labels["session"], labels["profile"]) == ("training", True, "", "ana-2")
    for action in ("record", "stop", "forward", "back", "undo"):
        with pytest.raises(SessionError, match="phase training"):
            booth.act(action)
    booth.act("pause")
    booth.recorder.start()
    booth.look()
    booth.act("resume")
    booth.act("finish")
    assert (booth.phase, booth.orders, booth.store.sessions.all()) == ("choose", [], [])


def test_training_leads_straight_to_a_session(booth):
    booth.flow.begin("ana", "cups", booth.now_ns, training=True)
    booth.flow.begin("ana", "cups", booth.now_ns)
    assert (booth.phase, booth.flow.labels()["training"]) == ("check", False)


def test_labels_say_who_does_what_and_nothing_when_nobody_does(booth):
    nobody = {"operator": "", "task": "", "booth": "b1", "session": "", "number": 0, "profile": "", "training": False}
    assert booth.flow.labels() == nobody
    booth.ready()
    (session,) = booth.store.sessions.all()
    expected = {"operator": "ana", "task": "Stack two cups.", "session": session.id, "number": 1, "profile": "ana-2"}
    assert booth.flow.labels() == nobody | expected
    booth.record()
    booth.act("keep")
    assert booth.flow.labels()["number"] == 2
    booth.act("finish")
    assert booth.flow.labels() == nobody


def test_nobody_begins_without_consent(booth):
    booth.store.operators.add(Operator(id="ben", name="Ben"), booth.wall_ns)
    with pytest.raises(SessionError, match=r"Ben has not agreed .*booth operator consent ben"):
        booth.flow.begin("ben", "cups", booth.now_ns)
    assert booth.phase == "choose"
    booth.flow.consent("ben", booth.now_ns)
    booth.flow.begin("ben", "cups", booth.now_ns)
    assert booth.phase == "check"


def test_who_withdraws_the_consent_is_not_recorded_any_longer(booth):
    booth.ready()
    booth.store.operators.withdraw("ana", booth.wall_ns)
    with pytest.raises(SessionError, match="has not agreed"):
        booth.act("record")


def test_unknown_names_and_a_second_begin_are_refused_in_words(booth):
    with pytest.raises(SessionError, match="no operator 'bo'; there are: ana"):
        booth.flow.begin("bo", "cups", booth.now_ns)
    with pytest.raises(SessionError, match="no task 'x'; there are: cups"):
        booth.flow.begin("ana", "x", booth.now_ns)
    with pytest.raises(SessionError, match=r"phase choose; possible now: begin"):
        booth.act("record")
    with pytest.raises(SessionError, match=r"no action 'jump': expected one of record, stop"):
        booth.act("jump")
    booth.ready()
    with pytest.raises(SessionError, match=r"a session goes on \(phase ready\): finish it"):
        booth.flow.begin("ana", "cups", booth.now_ns)


def test_a_session_is_found_again_paused_at_its_episode(booth):
    booth.ready()
    booth.record()
    booth.act("keep")
    booth.act("next")
    booth.record("degraded")
    booth.act("redo")
    before, labels = booth.counts(), booth.flow.labels()
    booth.crash()
    assert (booth.phase, booth.counts(), booth.flow.labels()) == ("paused", before, labels)
    assert "interrupted" in booth.reason
    booth.look()
    booth.act("resume")
    assert booth.phase == "check"
    assert booth.orders.count(Order.DISCARD) == 1


def test_a_take_that_runs_on_through_a_crash_is_found_with_what_is_left_of_its_time(booth):
    booth.ready()
    booth.act("record")
    booth.pass_s(10)
    booth.crash()
    booth.look()
    assert (booth.phase, booth.view["countdown_s"], booth.attempts()) == ("recording", 20.0, [(1, 1, "undecided")])
    booth.pass_s(20)
    booth.recorder.save()
    booth.look()
    booth.act("keep")
    assert booth.attempts() == [(1, 1, "kept")]


def test_a_take_whose_start_was_never_answered_is_found_after_a_crash(booth):
    booth.ready()
    (order,) = booth.flow.act("record", booth.now_ns)
    booth.recorder.obey(order)
    booth.crash()
    booth.look()
    assert (booth.phase, booth.attempts()) == ("recording", [(1, 1, "undecided")])


@pytest.mark.parametrize("saved_before", [True, False])
def test_a_take_without_a_decision_is_reviewed_after_a_crash(booth, saved_before):
    booth.ready()
    booth.act("record")
    booth.act("stop")
    if saved_before:
        booth.recorder.save("degraded")
        booth.look()
    booth.crash()
    booth.look()
    if not saved_before:
        booth.recorder.save("degraded")
        booth.look()
    booth.act("resume")
    assert (booth.phase, booth.counts()) == ("review", (1, 0, 0, 0))
    booth.act("redo")
    assert (booth.recorder.trash, booth.attempts()) == (["take-1"], [(1, 1, "redone")])


def test_what_was_to_be_discarded_when_the_crash_came_is_discarded(booth):
    booth.ready()
    booth.act("record")
    booth.act("back")
    booth.crash()
    booth.look()
    assert booth.counts() == (1, 0, 1, 0)
    booth.recorder.save()
    booth.look()
    assert (booth.phase, booth.recorder.trash, booth.counts()) == ("paused", ["take-1"], (1, 0, 1, 0))
    booth.act("resume")
    assert booth.phase == "reset" and "undo" in booth.view["actions"]


def test_a_take_that_a_crash_of_everything_cut_short_is_recorded_again(booth):
    booth.ready()
    booth.act("record")
    booth.recorder.die()
    booth.crash()
    booth.look()
    booth.act("resume")
    assert (booth.phase, booth.counts(), booth.attempts()) == ("check", (1, 0, 0, 0), [(1, 1, "undecided")])


def test_a_take_is_not_gone_on_with_before_the_recorder_has_told_of_it(booth):
    booth.ready()
    booth.act("record")
    booth.crash()
    with pytest.raises(SessionError, match="has not told yet what became of take-1"):
        booth.act("resume")
    booth.pass_s(10)
    assert "is cut short: episode 1 is recorded again" in booth.reason
    booth.act("resume")
    assert booth.phase == "check"


def test_a_session_of_another_booth_or_robot_is_not_taken_up(booth):
    booth.ready()
    assert Workflow(booth.store, "b2", "op3", 0).phase is Phase.CHOOSE
    assert Workflow(booth.store, "b1", "hx5_d20_right", 0).phase is Phase.CHOOSE
    assert Workflow(booth.store, "b1", "op3", 0).phase is Phase.PAUSED


def test_a_finished_session_is_not_taken_up_again(booth):
    booth.ready()
    booth.act("finish")
    booth.crash()
    assert booth.phase == "choose"


def test_the_view_is_json_and_follows_what_others_write(booth):
    assert json.loads(json.dumps(booth.view))["tasks"][0]["target"] == 2
    booth.store.operators.add(Operator(id="ben", name="Ben"), booth.wall_ns)
    other = Store(booth.store.path)
    other.operators.remove("ana", booth.wall_ns)
    other.close()
    assert [(one["id"], one["consent"], one["ready"]) for one in booth.view["operators"]] == [("ben", False, None)]


def test_the_view_tells_who_has_passed_the_training(booth):
    flow = Workflow(booth.store, "b9", "op3", 0, ready=lambda operator: operator == "ana")
    assert flow.view(0)["operators"][0]["ready"] is True
