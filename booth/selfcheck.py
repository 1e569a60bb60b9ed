# SPDX-License-Identifier: Apache-2.0
"""The self-check before a session: at most twenty seconds, every item with a sentence. No ROS; handed facts and time.

    check = SelfCheck(robot, now_ns)
    check.saw_camera("TRACKING", 29.9, 117.0, "", now_ns)          # and the other facts, as they come
    check.items(now_ns), check.passed(now_ns), check.failed(now_ns)

Facts about devices count as long as they are repeated; what a person does (shows a hand, presses the pedal, confirms
the emergency stop) counts from then on. What failed because the time was up is put right by the fact that was missing.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from booth.selfcheck_item import Item, ItemState, Verdict, failed, ok, waiting, warn
from booth.selfcheck_judge import (
    judge_camera,
    judge_clock,
    judge_disk,
    judge_light,
    judge_pedal,
    judge_servo,
    judge_temperatures,
)
from robots import Robot
from teleop.hand_geometry import Side
from teleop.limbs import SIDES, choose_parts

TIME_NS = 20_000_000_000
"""What is not known by then has failed."""
SILENT_NS = 3_000_000_000
"""A device that has said nothing for so long is not known any more."""
HAND_FRAMES, HAND_WITHIN_NS = 6, 1_000_000_000
"""A hand is found when it was seen so often within so long: once may be a mistake."""
ALL_PARTS = "hands+arms+head"
ESTOP = "estop"
LATE = "not within 20 s"
NOT_HERE = "the camera is with an operator far away: light there is not measured"
BLIND = "without a camera nobody is seen"


def driving_hands(robot: Robot, parts: str = "") -> tuple[Side, ...]:
    """The hands that lead a robot; none where nothing of it copies an operator.

    Raises:
        InputError: the robot has nothing of these parts.
    """
    if not robot.imitation.limbs:
        return ()
    chosen = choose_parts(robot, parts or ALL_PARTS)
    return tuple(side for side in SIDES if any(name.startswith(side) for name in chosen)) or SIDES[:1]


class SelfCheck:
    """One check of one robot, from ``start_ns`` on.

    Args:
        robot: whose servos are asked for by name.
        start_ns: when it begins; all times are of the monotonic clock [ns].
        wants_pedal: whether a foot pedal is asked for.
        wants_servos: False where somebody else's driver moves the robot.
        wants_recorder: False where nothing is to be recorded.
        wants_estop: False where nobody is there to be asked.
        hands: whose hands to look for; None: those that drive the robot.
    """

    def __init__(
        self,
        robot: Robot,
        start_ns: int,
        *,
        wants_pedal: bool = False,
        wants_servos: bool = True,
        wants_recorder: bool = True,
        wants_estop: bool = True,
        hands: Sequence[Side] | None = None,
    ) -> None:
        self._robot, self._start_ns = robot, start_ns
        self._hands = driving_hands(robot) if hands is None else tuple(hands)
        self._wants_pedal, self._wants_servos, self._wants_recorder = wants_pedal, wants_servos, wants_recorder
        self._wants_estop = wants_estop
        self._camera: tuple[str, float, str] = ("", 0.0, "")
        self._brightness: float | None = None
        self._seen: dict[Side, deque[int]] = {side: deque(maxlen=HAND_FRAMES) for side in self._hands}
        self._found: set[Side] = set()
        self._servos: dict[str, Mapping[str, object]] = {}
        self._minutes: float | None = None
        self._free_gb: float | None = None
        self._drift_ns = 0
        self._synchronised: bool | None = None
        self._ages_ns: dict[str, int] = {}
        self._pedal = ("", "")
        self._pressed = False
        self._confirmed: set[str] = set()
        self._impossible: dict[str, str] = {}
        self._heard_ns: dict[str, int] = {}

    # ---- facts ------------------------------------------------------------------------------------------------

    def saw_camera(self, word: str, hz: float, brightness: float | None, reason: str, now_ns: int) -> None:
        """Message, ``rate_hz``, ``brightness`` and ``reason`` of ``/tracker/state``."""
        self._camera, self._brightness = (word, hz, reason), brightness
        self._heard_ns["camera"] = now_ns

    def saw_hands(self, sides: Collection[Side], now_ns: int) -> None:
        """The operator's hands in one image."""
        for side in self._hands:
            if side in sides:
                seen = self._seen[side]
                seen.append(now_ns)
                if len(seen) == HAND_FRAMES and now_ns - seen[0] <= HAND_WITHIN_NS:
                    self._found.add(side)

    def saw_servos(self, servos: Sequence[Mapping[str, object]], now_ns: int) -> None:
        """The list of ``/driver/servos``."""
        self._servos = {str(servo.get("name")): servo for servo in servos}
        self._heard_ns["servos"] = now_ns

    def saw_recorder(self, values: Mapping[str, str], now_ns: int) -> None:
        """Keys ``minutes_left`` and ``free_gb`` of ``/recorder/state``."""
        self._minutes, self._free_gb = number(values.get("minutes_left")), number(values.get("free_gb"))
        self._heard_ns["recorder"] = now_ns

    def saw_clock(self, drift_ns: int, ages_ns: Mapping[str, int], synchronised: bool | None, now_ns: int) -> None:
        """See `judge_clock`; of every process the smallest age counts: a message may be late, but never early."""
        self._drift_ns, self._synchronised = drift_ns, synchronised
        for name, age_ns in ages_ns.items():
            self._ages_ns[name] = min(age_ns, self._ages_ns.get(name, age_ns), key=abs)
        self._heard_ns["clock"] = now_ns

    def saw_pedal(self, word: str, reason: str, now_ns: int) -> None:
        """Message and ``reason`` of ``/teleop/pedal_state``."""
        self._pedal = (word, reason)
        self._heard_ns["pedal"] = now_ns

    def saw_pedal_pressed(self, now_ns: int) -> None:
        """A foot came down: true on ``/teleop/pedal``, or anything on ``/teleop/pedal_event``."""
        self._pressed = True
        self._heard_ns["pedal"] = now_ns

    def confirm(self, what: str, now_ns: int) -> None:
        """A person says so; ``estop``: the emergency stop is in reach."""
        self._confirmed.add(what)
        self._heard_ns[what] = now_ns

    def cannot(self, name: str, why: str) -> None:
        """An item can't succeed any more: its process has ended."""
        self._impossible[name] = why

    # ---- answers ----------------------------------------------------------------------------------------------

    def items(self, now_ns: int) -> list[Item]:
        """Everything that is looked at, in the order in which a person would."""
        late = now_ns - self._start_ns >= TIME_NS
        out = []
        for name, judge in self._judges(now_ns):
            state, text = failed(self._impossible[name]) if name in self._impossible else judge()
            if state is ItemState.WAITING and late:
                state, text = ItemState.FAILED, f"{LATE}: {text}"
            out.append(Item(name, state, text))
        return out

    def passed(self, now_ns: int) -> bool:
        """Whether a session may begin: nothing is waited for, nothing has failed."""
        return all(item.state in (ItemState.OK, ItemState.WARN) for item in self.items(now_ns))

    def settled(self, now_ns: int) -> bool:
        """Whether nothing is waited for any more."""
        return all(item.state is not ItemState.WAITING for item in self.items(now_ns))

    def failed(self, now_ns: int) -> bool:
        """Whether something has to be put right."""
        return any(item.state is ItemState.FAILED for item in self.items(now_ns))

    def _judges(self, now_ns: int) -> list[tuple[str, Callable[[], Verdict]]]:
        judges: list[tuple[str, Callable[[], Verdict]]] = []
        if self._hands:
            judges += [("camera", partial(self._judge_camera, now_ns)), ("light", partial(self._judge_light, now_ns))]
        judges += [(f"{side}_hand", partial(self._judge_hand, side)) for side in self._hands]
        if self._wants_servos:
            names = self._robot.joint_names
            judges += [(name, partial(self._judge_servo, name, now_ns)) for name in names]
            judges.append(("temperatures", partial(self._judge_temperatures, now_ns)))
        if self._wants_recorder:
            judges.append(("disk", partial(judge_disk, self._minutes, self._free_gb)))
        judges.append(("clock", partial(judge_clock, self._drift_ns, self._ages_ns, self._synchronised)))
        if self._wants_pedal:
            judges.append(("pedal", partial(judge_pedal, *self._pedal, self._pressed)))
        if self._wants_estop:
            judges.append((ESTOP, self._judge_estop))
        return judges

    def _silent(self, what: str, now_ns: int) -> bool:
        return what not in self._heard_ns or now_ns - self._heard_ns[what] > SILENT_NS

    def _judge_camera(self, now_ns: int) -> Verdict:
        if self._silent("camera", now_ns):
            return waiting("no word from the tracker: is it running?")
        return judge_camera(*self._camera)

    def _judge_light(self, now_ns: int) -> Verdict:
        if "camera" in self._impossible:
            return failed(BLIND)
        if self._silent("camera", now_ns):
            return judge_light(None)
        if self._brightness is None and self._camera[0] == "TRACKING":
            return warn(NOT_HERE)
        return judge_light(self._brightness)

    def _judge_hand(self, side: Side) -> Verdict:
        if side in self._found:
            return ok("found")
        if "camera" in self._impossible:
            return failed(BLIND)
        return waiting(f"show the {side} hand to the camera, palm to the front")

    def _judge_servo(self, name: str, now_ns: int) -> Verdict:
        if self._silent("servos", now_ns):
            return waiting("no word from the driver: is it running?")
        servo = self._servos.get(name)
        return waiting("the driver does not know this joint: another robot?") if servo is None else judge_servo(servo)

    def _judge_temperatures(self, now_ns: int) -> Verdict:
        known = [] if self._silent("servos", now_ns) else list(self._servos.values())
        return judge_temperatures(known)

    def _judge_estop(self) -> Verdict:
        if ESTOP in self._confirmed:
            return ok("seen, in reach")
        return waiting("find the emergency stop, or the robot's power switch, keep it in reach, and confirm it")


def number(text: str | None) -> float | None:
    """A figure of a state message; None where it is empty or none."""
    try:
        return float(text or "")
    except ValueError:
        return None
