# SPDX-License-Identifier: Apache-2.0
"""Faults on demand, in virtual time: every word of the control socket, and that each can be taken back."""

import json

import pytest
from two_lines import PAIR

from drivers import protocol as dxl
from drivers.virtual_build import build_virtual_buses
from drivers.virtual_fault_words import FAULTS, FaultWords
from drivers.virtual_faults import FaultPanel
from drivers.virtual_noise import BitErrors
from robots import load_robot

MS = 1_000_000
S = 1_000_000_000


class Bench:
    """A robot's virtual buses with a fault panel, and a clock that the test turns."""

    def __init__(self, robot):
        self.robot = robot
        self.now_ns = S
        self.buses = build_virtual_buses(robot)
        self.panel = FaultPanel(robot, self.buses, clock_ns=lambda: self.now_ns)
        self.words = FaultWords(self.panel)

    def ask(self, request, bus=None):
        line = self.buses[bus or next(iter(self.buses))]
        self.now_ns += 10 * MS
        return line.handle(request, self.now_ns)

    def packets(self, request, bus=None):
        return [dxl.decode(answer.data) for answer in self.ask(request, bus)]

    def ids(self, bus=None):
        return [packet.id for packet in self.packets(dxl.ping(), bus)]

    def do(self, line):
        answer = self.words.answer(line)
        assert answer.startswith("ok"), answer
        return answer[3:]

    def get(self, servo, name, bus=None):
        device = next(d for line in self.buses.values() for d in line.devices if d.id == servo)
        item = device.table[name]
        return item.decode(self.packets(dxl.read(servo, item.address, item.size), bus)[0].params)


@pytest.fixture
def op3():
    return Bench(load_robot("op3"))


@pytest.fixture
def pair():
    return Bench(PAIR)


# --- one word after the other


def test_silent(op3):
    op3.do("silent 5 on")
    assert 5 not in op3.ids()
    assert op3.ids() == [n for n in range(1, 21) if n != 5]
    op3.do("silent 5 off")
    assert len(op3.ids()) == 20


def test_a_joints_name_will_do_for_an_id(op3):
    op3.do("silent head_pan on")
    assert 19 not in op3.ids()


def test_noise_damages_requests_and_answers_the_same_way_every_time():
    def heard(seed):
        bench = Bench(load_robot("op3"))
        bench.do(f"noise 2e-4 {seed}")
        return [answer.data for _ in range(200) for answer in bench.ask(dxl.sync_read(126, 10, range(1, 21)))]

    first, again, other = heard(1), heard(1), heard(2)
    assert first == again != other
    clean = [answer.data for answer in Bench(load_robot("op3")).ask(dxl.sync_read(126, 10, range(1, 21)))]
    assert len(first) < 200 * len(clean), "some requests got lost"
    damaged = 0
    for frame in first:
        try:
            dxl.decode(frame)
        except dxl.ProtocolError:
            damaged += 1
    assert 0 < damaged < len(first) / 5


def test_bit_errors_come_at_the_rate_asked_for():
    noise = BitErrors(1e-3, seed=7)
    sent = bytes(100_000)
    got = noise.pass_through(sent)
    flipped = sum(byte.bit_count() for byte in got)
    assert flipped == noise.flipped
    assert flipped == pytest.approx(800, rel=0.15)
    split = BitErrors(1e-3, seed=7)
    assert b"".join(split.pass_through(sent[at : at + 37]) for at in range(0, len(sent), 37)) == got


def test_power_off_takes_a_branch_its_torque_and_its_ram(op3):
    op3.packets(dxl.sync_write(64, 1, [(n, b"\1") for n in range(1, 21)]))
    assert op3.do("power-off arm_r") == "3 devices"
    arm = [joint.id for joint in op3.robot.joints if op3.robot.branch_of(joint) == "arm_r"]
    assert set(op3.ids()) == set(range(1, 21)) - set(arm)
    op3.do("power-on arm_r")
    assert set(arm).isdisjoint(op3.ids()), "they boot"
    op3.now_ns += S
    assert len(op3.ids()) == 20
    assert [op3.get(n, "Torque Enable") for n in (arm[0], 20)] == [0, 1]


def test_power_off_all(pair):
    pair.do("power-off all")
    assert pair.ids("left") == pair.ids("right") == []


def test_overheat_sets_a_temperature_above_the_limit_unless_told(op3):
    assert op3.do("overheat 3") == "85 °C"
    assert op3.get(3, "Present Temperature") == 85
    assert op3.get(3, "Hardware Error Status") == 4
    assert op3.do("overheat 4 75") == "75 °C"
    assert (op3.get(4, "Present Temperature"), op3.get(4, "Hardware Error Status")) == (75, 0)


def test_overload_in_every_familys_own_words(pair):
    for servo in (1, 2, 3):
        pair.do(f"overload {servo}")
    assert pair.get(1, "Hardware Error Status", "left") == 0x20
    assert pair.get(2, "Error Code", "right") == 5
    assert pair.get(3, "Hardware Error Status", "right") == 0x20


def test_error_sets_any_code_and_says_what_it_means(pair):
    assert pair.do("error 2 18") == "bus watchdog stopped it"
    assert pair.do("error 1 0x24") == "overheated, overloaded"
    assert pair.packets(dxl.ping(2), "right")[0].alert


def test_voltage_outside_of_the_limits_is_an_error(pair):
    assert pair.do("voltage arm 9") == "2 devices"
    assert pair.get(1, "Present Input Voltage", "left") == 90
    assert pair.get(1, "Hardware Error Status", "left") == 1
    assert pair.get(2, "Error Code", "right") == 2
    assert pair.get(3, "Hardware Error Status", "right") == 0


def test_load_is_seen_in_the_current_while_torque_is_on(op3):
    op3.do("load 7 538")
    assert op3.get(7, "Present Current") == 0
    op3.packets(dxl.write(7, 64, b"\1"))
    assert op3.get(7, "Present Current") == 200


def test_delay_makes_answers_late(op3):
    (prompt,) = op3.ask(dxl.ping(1))
    took_ns = prompt.complete_ns - op3.now_ns
    op3.do("delay 7.5")
    (late,) = op3.ask(dxl.ping(1))
    assert late.complete_ns - op3.now_ns == took_ns + 7_500_000
    op3.do("delay 0")
    (prompt,) = op3.ask(dxl.ping(1))
    assert prompt.complete_ns - op3.now_ns == took_ns


def test_half_frame_cuts_one_answer_in_the_middle(op3):
    (whole,) = op3.ask(dxl.fast_sync_read(132, 4, [1, 2]))
    op3.do("half-frame")
    (half,) = op3.ask(dxl.fast_sync_read(132, 4, [1, 2]))
    assert half.data == whole.data[: len(whole.data) // 2]
    (again,) = op3.ask(dxl.fast_sync_read(132, 4, [1, 2]))
    assert again.data == whole.data


def test_faults_of_a_line_leave_the_other_line_alone(pair):
    pair.do("half-frame right")
    assert len(pair.ask(dxl.ping(1), "left")[0].data) == 14
    assert len(pair.ask(dxl.ping(2), "right")[0].data) == 7


def test_status_names_what_is_wrong_and_nothing_else(op3):
    assert json.loads(op3.do("status"))["devices"] == []
    op3.do("silent 5 on")
    op3.do("overheat 3")
    op3.do("noise 1e-5")
    status = json.loads(op3.do("status"))
    assert status["devices"] == [
        {"id": 3, "name": "r_sho_roll", "branch": "arm_r", "error": 4, "means": ["overheated"], "degc": 85},
        {"id": 5, "name": "r_el", "branch": "arm_r", "silent": True},
    ]
    assert status["buses"][0]["noise"] == 1e-5
    assert "\n" not in op3.do("status")


def test_clear_takes_everything_back_but_what_servos_have_latched(op3):
    before = op3.do("status")
    for line in (
        "silent 5 on",
        "noise 1e-3",
        "power-off leg_l",
        "load 3 99",
        "delay 9",
        "half-frame",
        "voltage head 13",
    ):
        op3.do(line)
    op3.do("clear")
    op3.now_ns += S
    after = json.loads(op3.do("status"))
    assert after | {"buses": 0} == json.loads(before) | {"buses": 0}
    assert len(op3.ids()) == 20
    op3.do("overload 4")
    assert op3.do("clear") == "4 until a reboot: latched errors"
    op3.packets(dxl.reboot(4))
    op3.now_ns += S
    assert op3.do("clear") == ""


def test_a_silent_servos_watchdog_goes_on_counting(op3):
    for address, value in ((64, 1), (98, 5)):
        op3.packets(dxl.write(5, address, bytes((value,))))
    op3.do("silent 5 on")
    for _ in range(20):
        op3.ids()
    op3.do("silent 5 off")
    assert op3.get(5, "Bus Watchdog") == -1


def test_hand_with_its_branch_off_takes_the_motors_along():
    hand = Bench(load_robot("hx5_d20_right"))
    assert hand.do("power-off all") == "21 devices"
    assert hand.ids() == []
    hand.do("power-on all")
    hand.now_ns += S
    assert len(hand.ids()) == 21


def test_a_hands_motors_live_on_the_voltage_that_its_controller_makes():
    hand = Bench(load_robot("hx5_d20_right"))
    hand.do("voltage all 24")
    assert hand.get(111, "Present Input Voltage") == 120
    assert hand.get(110, "Present Input Voltage") == 2400
    hand.do("voltage all 12")
    assert hand.get(110, "Hardware Error Status") == 1


# --- what is no fault


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "silent, noise"),
        ("bogus", "expected one of silent, noise, power-off"),
        ("silent 5", "expected silent ID on|off, found 1"),
        ("silent 5 maybe", "expected on or off, found 'maybe'"),
        ("silent 99 on", "1, 2, 3"),
        ("silent r_elbow on", "a joint's name or one of the IDs"),
        ("noise lots", "from 0 to 0.5, found 'lots'"),
        ("noise nan", "from 0 to 0.5"),
        ("power-off wing", "expected all or one of arm_l, arm_r"),
        ("error 5 300", "from 1 to 255, found '300'"),
        ("error 5 x", "from 1 to 255"),
        ("voltage arm_l -3", "from 0 to 60"),
        ("overheat 5 hot", "a temperature in °C"),
        ("delay 5 wing", "no bus 'wing': expected one of body"),
        ("delay 99999999", "from 0 to 10000"),
        ("unplug", "no ports"),
        ("status now", "expected status, found 1"),
    ],
)
def test_what_is_no_fault_is_answered_with_what_is(op3, line, said):
    answer = op3.words.answer(line)
    assert answer.startswith("error: ")
    assert said in answer


def test_an_error_of_a_servo_is_refused_for_a_hand_controller():
    answer = Bench(load_robot("hx5_d20_right")).words.answer("overload 110")
    assert answer == "error: ID 110 is a hand controller, expected a servo"


def test_every_fault_has_a_line_of_help():
    assert all(fault.help and len(fault.help) < 100 for fault in FAULTS.values())
    assert all(hasattr(FaultWords, "_do_" + word.replace("-", "_")) for word in FAULTS)
