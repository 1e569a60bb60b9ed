# SPDX-License-Identifier: Apache-2.0
"""Page node: what the graph says to the browsers, and what browsers, hands and feet ask for to the graph."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger

from booth.page.access import Access, load_token, parse_address, token_path
from booth.page.ask import Ask
from booth.page.booth_word import NodeState, standing
from booth.page.desk import Desk
from booth.page.quiet_node import QuietListener
from booth.page.relay_node import CameraRelay, JointRelay
from booth.page.robot3d import Robot3D, available
from booth.page.server import PageServer
from booth.page.snapshot import Heard, last_take, phrase, snapshot
from booth.page.sounds import Sounds
from booth.selfcheck import SelfCheck, driving_hands
from booth.selfcheck_node import SelfCheckFeed
from booth.session.errors import SessionError, StoreError
from booth.session.phases import ACTIONS
from booth.session.store import Store, store_path
from booth.session.training import Training
from booth.session.training_ready import ReadyOperators
from booth.session.workflow import Order, Workflow
from graph.ros_node import BoothNode, qos_profile, spin_node, state_values
from graph.topics import (
    DRIVER_SERVOS,
    DRIVER_STATE,
    PAGE_STATE,
    PEDAL_EVENT,
    PEDAL_STATE,
    RECORDER_STATE,
    SERVICE_RECORD_DISCARD,
    SERVICE_RECORD_RESTORE,
    SERVICE_RECORD_START,
    SERVICE_RECORD_STOP,
    SERVICE_RELEASE,
    SERVICE_STOP,
    SESSION_LABELS,
    TELEOP_EVENT,
    TELEOP_STATE,
    TRACKER_STATE,
    session_service,
)
from robots import load_robot

STATES = {
    "driver": DRIVER_STATE,
    "teleop": TELEOP_STATE,
    "tracker": TRACKER_STATE,
    "recorder": RECORDER_STATE,
    "pedal": PEDAL_STATE,
}
ORDERS = {
    Order.START: SERVICE_RECORD_START,
    Order.STOP: SERVICE_RECORD_STOP,
    Order.DISCARD: SERVICE_RECORD_DISCARD,
    Order.RESTORE: SERVICE_RECORD_RESTORE,
}
MOVING = ("RAMPING", "ENGAGED")
OFTEN = ("teleop", "tracker")
"""Who says more often how it is than a page can show."""
LOOK_S, SLOW_NS = 1 / 15, 1_000_000_000
CALM_LOOKS = 3
"""Figures that nobody waits for are shown at every third look, changes of words at once."""
GONE_NS = 2_500_000_000
AGAIN_NS = 5_000_000_000
NO_STOP = "nobody is there to stop the robot: use the emergency stop, the switch of its power"


class PageNode(BoothNode):
    """The executor's thread owns session and graph, the server's thread the browsers."""

    def __init__(self) -> None:
        super().__init__("page", PAGE_STATE)
        robot = load_robot(self.declare("robot", "hx5_d20_right", "robot name or YAML file"))
        address = parse_address(self.declare("address", "127.0.0.1:8080", "where the page is served, HOST:PORT"))
        self._booth = self.declare("booth", "", "which booth this is")
        self._virtual = self.declare("virtual", False, "whether the servos are simulated")
        self._external = self.declare("driver", "dynamixel", "virtual, dynamixel or external") == "external"
        path = self.declare("store", "", "operators, tasks and sessions; empty: this user's own")
        self._wants_pedal = self.declare("pedal", False, "whether the self-check asks for a foot pedal")
        self._records = self.declare("recorder", True, "whether the self-check asks for a recorder")
        parts = self.declare("parts", "", "what copies the operator, as teleop has it; empty: all")
        self._hands = driving_hands(robot, parts)
        self._robot = robot
        self._store = Store(Path(path) if path else store_path())
        self._desk = self._open_desk()
        self._states = {name: NodeState() for name in STATES}
        self._servos: list[dict[str, object]] = []
        self._last: Mapping[str, object] | None = None
        self._labels: Mapping[str, object] | None = None
        self._shown: Mapping[str, object] = {}
        self._shown_ns = 0
        self._looks = 0
        self._sounds = Sounds()
        self._complained, self._complained_ns = "", 0
        self._asks: deque[Ask] = deque(maxlen=64)
        self._wake = self.create_guard_condition(self._on_asks)
        self._robot3d = Robot3D(robot) if available(robot) else None
        self._server = PageServer(Access(load_token(token_path()), address), self._asked, self._robot3d_port)
        self._address = self._server.start()
        self.get_logger().info(f"the operator's page: {self._address.url()} (with its token: booth page url)")
        self._ears = QuietListener(self)
        self._camera = CameraRelay(self, self._ears, self._server.show_picture)
        self._joints = JointRelay(self, self._ears, robot)
        self._check_ears: QuietListener | None = None
        self._facts: SelfCheckFeed | None = None
        self._recorder = {order: self.create_client(Trigger, name) for order, name in ORDERS.items()}
        self._stops = [self.create_client(Trigger, name) for name in (SERVICE_STOP, SERVICE_RELEASE)]
        self._labels_out = self.create_publisher(String, SESSION_LABELS.name, qos_profile(SESSION_LABELS.qos))
        for name, topic in STATES.items():
            heard = partial(self._on_state, name)
            ears = self._ears if name in OFTEN else self
            ears.create_subscription(DiagnosticStatus, topic.name, heard, qos_profile(topic.qos))
        for topic, receive in (
            (DRIVER_SERVOS, self._on_servos),
            (TELEOP_EVENT, self._on_teleop_event),
            (PEDAL_EVENT, self._on_pedal_event),
        ):
            self.create_subscription(String, topic.name, receive, qos_profile(topic.qos))
        for action in ACTIONS:
            self.create_service(Trigger, session_service(action), partial(self._on_service, action))
        self.create_timer(LOOK_S, self._on_timer)
        self._carry_out(())

    def _open_desk(self) -> Desk:
        ready = ReadyOperators(self._store, self._robot)
        now_ns = self.graph_clock.monotonic_ns()
        return Desk(
            self._store,
            Workflow(self._store, self._booth, self._robot.name, now_ns, ready),
            self._new_check,
            lambda at_ns: Training(self._robot, at_ns),
            ready,
        )

    def _new_check(self, now_ns: int) -> SelfCheck:
        return SelfCheck(
            self._robot,
            now_ns,
            wants_pedal=self._wants_pedal,
            wants_servos=not self._external,
            wants_recorder=self._records,
            hands=self._hands,
        )

    # --- what browsers, hands and feet ask for -----------------------------------------------------------------

    def _asked(self, ask: Ask) -> None:
        """In the server's thread: hand it over to the executor's."""
        self._asks.append(ask)
        self._wake.trigger()

    def _on_asks(self) -> None:
        while self._asks:
            ask = self._asks.popleft()
            if ask.kind == "stop":
                self._stop()
            else:
                self._try(partial(self._desk.ask, ask))

    def _stop(self) -> None:
        """Ask everybody who can stop the robot; say so where nobody is there to be asked."""
        asked = [client for client in self._stops if client.service_is_ready()]
        for client in asked:
            client.call_async(Trigger.Request())
        if not asked:
            self._complain(NO_STOP)

    def _on_service(self, action: str, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        refusal = self._try(partial(self._desk.act, action, "service"))
        response.success, response.message = not refusal, refusal or self._desk.phase
        return response

    def _on_teleop_event(self, message: String) -> None:
        self._try(partial(self._desk.gesture, message.data))

    def _on_pedal_event(self, message: String) -> None:
        self._try(partial(self._desk.pedal, message.data))

    def _try(self, act: Callable[[int], Iterable[Order]]) -> str:
        """Do what was asked, or tell all browsers why not; returns the reason.

        A store that fails (a full disk) does not end this process: session and page stay as they were.
        """
        try:
            self._carry_out(act(self.graph_clock.monotonic_ns()))
        except (SessionError, StoreError) as error:
            self._complain(str(error))
            return str(error)
        return ""

    def _complain(self, text: str) -> None:
        """Say a reason to all browsers and to the log, the same one every few seconds at most."""
        now_ns = self.graph_clock.monotonic_ns()
        if self._complained == text and now_ns - self._complained_ns < AGAIN_NS:
            return
        self._complained, self._complained_ns = text, now_ns
        self.get_logger().warning(text)
        self._server.say({"type": "error", "text": phrase(text)})

    def _carry_out(self, orders: Iterable[Order]) -> None:
        """Ask the recorder, after it has been told whose take it is; then show what has changed."""
        self._tell_labels()
        for order in orders:
            client = self._recorder[order]
            if client.service_is_ready():
                client.call_async(Trigger.Request()).add_done_callback(partial(self._on_answer, order))
            else:
                self._answered(order, False, "the recorder is not running: look at the terminal of booth up")
        self._show()

    def _on_answer(self, order: Order, future: Future) -> None:
        response = future.result()
        self._answered(order, response.success, response.message)

    def _answered(self, order: Order, success: bool, message: str) -> None:
        self._try(partial(self._desk.workflow.answered, order, success, message))
        if not success:
            self._complain(message)

    def _tell_labels(self) -> None:
        labels = self._desk.workflow.labels()
        if labels != self._labels:
            self._labels = labels
            self._labels_out.publish(String(data=json.dumps(labels)))

    # --- what the graph says -----------------------------------------------------------------------------------

    def _on_state(self, name: str, status: DiagnosticStatus) -> None:
        now_ns = self.graph_clock.monotonic_ns()
        before = self._states[name]
        state = self._states[name] = NodeState(status.message, state_values(status), now_ns)
        if name == "tracker":
            self._camera.brightness = state.number("brightness")
        if name == "recorder":
            self._last = last_take(state) or self._last
            self._try(partial(self._desk.workflow.saw_recorder, state.message, state.values))
        elif (before.message, before.get("reason")) != (state.message, state.get("reason")):
            self._show()

    def _on_servos(self, message: String) -> None:
        self._servos = json.loads(message.data)

    # --- what is shown -----------------------------------------------------------------------------------------

    def _on_timer(self) -> None:
        now_ns = self.graph_clock.monotonic_ns()
        self._camera.look(self._server.browsers > 0)
        self._ears.poll()
        self._camera.show_newest()
        self._feed_check()
        recorder = self._states["recorder"]
        if recorder.message and now_ns - recorder.heard_ns > GONE_NS:
            self._states["recorder"] = NodeState()
            self._try(partial(self._desk.workflow.saw_recorder, "GONE", {}))
        self._train(now_ns)
        self._looks += 1
        if self._lively() or self._looks % CALM_LOOKS == 0:
            self._try(self._desk.tick)
        self._show_robot()

    def _lively(self) -> bool:
        """Whether something moves on the page: a ring that fills, or an exercise."""
        teleop = self._states["teleop"]
        return teleop.message == "HOLDING_SIGN" or bool(teleop.get("sign")) or self._desk.training is not None

    def _feed_check(self) -> None:
        """Listen to what the self-check wants to know, for as long as there is one."""
        if self._desk.check is not None and self._check_ears is None:
            self._check_ears = QuietListener(self)
            self._facts = SelfCheckFeed(self._check_ears, self.graph_clock)
        elif self._desk.check is None and self._check_ears is not None:
            self._check_ears.close()
            self._check_ears = self._facts = None
        if self._check_ears is not None and self._facts is not None:
            self._facts.look(self._desk.check)
            self._check_ears.poll()

    def _train(self, now_ns: int) -> None:
        training = self._desk.training
        measured_rad = None if training is None else self._joints.measured_rad()
        if training is not None and measured_rad is not None:
            training.aspect = self._camera.aspect
            engaged = self._states["teleop"].message in MOVING
            training.see(self._camera.hands, measured_rad, engaged, now_ns)

    def _show(self) -> None:
        """Send the state where it has changed, and once a second."""
        now_ns, states = self.graph_clock.monotonic_ns(), self._states
        how = standing(
            *(states[name] for name in ("driver", "teleop", "tracker", "recorder")), now_ns, external=self._external
        )
        heard = self._heard(now_ns)
        redone = int(str(heard.session["redone"]))
        for name in self._sounds.see(how.word, states["teleop"].message in MOVING, self._desk.phase, redone):
            self._server.say({"type": "sound", "name": name})
        shown = snapshot(heard, how)
        if shown != self._shown or now_ns - self._shown_ns > SLOW_NS:
            self._shown, self._shown_ns = shown, now_ns
            self._server.show_state(shown)
        who = {name: (self._labels or {}).get(name, "") for name in ("operator", "task")}
        self.set_state(self._desk.phase, reason="", address=self._address.url(), browsers=self._server.browsers, **who)

    def _heard(self, now_ns: int) -> Heard:
        rates = {"hands": self._camera.landmarks, **self._joints.rates}
        rates |= {"camera": self._camera.camera} if self._camera.looking else {}
        return Heard(
            robot=self._robot.name,
            virtual=self._virtual,
            booth=self._booth,
            **{name: self._states[name] for name in ("driver", "teleop", "tracker", "recorder", "pedal")},
            streams={name: rate.look(now_ns) for name, rate in rates.items()},
            servos=self._servos,
            session=self._desk.session_view(now_ns),
            training=self._desk.training_view(now_ns),
            check=self._desk.check_items(now_ns),
            last=self._last,
            robot3d=self._robot3d is not None,
        )

    def _robot3d_port(self) -> int | None:
        return None if self._robot3d is None else self._robot3d.port

    def _show_robot(self) -> None:
        if self._robot3d is not None and self._robot3d.due:
            training = self._desk.training
            ghost_rad = None if training is None else training.ghost_rad
            self._robot3d.show(self._joints.measured_rad(), self._joints.commanded_rad(), ghost_rad)

    def close(self) -> None:
        """Free the port and the store."""
        self._server.close()
        if self._robot3d is not None:
            self._robot3d.close()
        self._store.close()


def main() -> None:
    """Entry point of the page process."""
    spin_node(PageNode)


if __name__ == "__main__":
    main()
