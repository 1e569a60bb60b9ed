# SPDX-License-Identifier: Apache-2.0
"""The control loop on virtual servos, in virtual time."""

import numpy as np
import pytest
from virtual_line import MS, Rig

from drivers import protocol, units
from drivers.command import Command
from drivers.control_table import control_table
from drivers.safety import State
from graph.errors import DeviceError

ROBOTS = ("hx5_d20_right", "op3")


def pose(rig: Rig, **joints: float) -> np.ndarray:
    """The home pose with some joints moved, in rad."""
    target = np.array([joint.home_rad for joint in rig.robot.joints])
    for name, value in joints.items():
        target[rig.robot.joint_names.index(name)] = value
    return target


@pytest.mark.parametrize("name", ROBOTS)
def test_torque_comes_on_without_any_joint_moving(name: str) -> None:
    rig = Rig(name, connect=False)
    before = {joint.id: rig.line.virtual.device(joint.id).position_ticks(rig.line.now_ns) for joint in rig.robot.joints}
    rig.loop.connect()
    rig.run(50)
    for joint in rig.robot.joints:
        servo = rig.line.virtual.device(joint.id)
        assert servo.peek("Torque Enable") == 1
        assert abs(servo.position_ticks(rig.line.now_ns) - before[joint.id]) <= 1


@pytest.mark.parametrize("name", ROBOTS)
def test_goals_equal_the_measured_pose_before_torque_comes_on(name: str) -> None:
    rig = Rig(name)
    table = control_table(rig.robot.joints[0].model)
    torque = [
        i
        for i, data in enumerate(rig.line.instructions)
        if (packet := protocol.decode(data)).instruction == protocol.Instruction.WRITE
        and packet.params[:3] == units_address(table["Torque Enable"].address) + b"\x01"
    ]
    watchdog = [
        i
        for i, data in enumerate(rig.line.instructions)
        if (packet := protocol.decode(data)).instruction == protocol.Instruction.WRITE
        and packet.params[:2] in (units_address(98), units_address(8))
        and packet.params[2] > 0
    ]
    places = units_address(table["Goal Position"].address), units_address(799)
    goals = [
        i
        for i, data in enumerate(rig.line.instructions)
        if (packet := protocol.decode(data)).instruction == protocol.Instruction.WRITE and packet.params[:2] in places
    ]
    assert len(torque) == len(rig.robot.joints)
    assert watchdog
    assert min(watchdog) < min(torque)
    assert len(goals) >= len(rig.robot.joints) if name == "op3" else goals
    if name == "op3":  # servo by servo: its own goal, watchdog and torque
        assert all(goal < on for goal, on in zip(goals, torque, strict=True))
        assert all(last < goal for last, goal in zip(torque, goals[1:], strict=False))
    else:
        assert max(goals) < min(torque)


def units_address(address: int) -> bytes:
    return address.to_bytes(2, "little")


@pytest.mark.parametrize(("name", "joint"), [("hx5_d20_right", "finger_r_joint6"), ("op3", "r_el")])
def test_an_engaged_robot_follows_and_arrives(name: str, joint: str) -> None:
    rig = Rig(name)
    target = pose(rig, **{joint: 0.3})
    rig.run(5, target)
    assert rig.loop.request_engage() == ""
    last = rig.run(150, target)
    assert last.status.state is State.ENGAGED
    assert np.abs(last.reading.position_rad - target).max() < 0.01


@pytest.mark.parametrize("name", ROBOTS)
def test_nothing_moves_before_the_operator_engages(name: str) -> None:
    rig = Rig(name)
    start = rig.run(1).reading.position_rad
    far = np.clip(start + 0.3, rig.link.lower_rad, rig.link.upper_rad)
    last = rig.run(60, far)
    assert last.status.state is State.READY
    assert np.abs(last.reading.position_rad - start).max() <= 2 * units.RAD_PER_TICK


@pytest.mark.parametrize("name", ROBOTS)
def test_goals_on_the_wire_never_leave_the_limits_nor_the_speed_cap(name: str) -> None:
    rig = Rig(name)
    rng = np.random.default_rng(1)
    home = pose(rig)
    rig.run(3, home)
    assert rig.loop.request_engage() == ""
    for _ in range(25):
        wild = rng.uniform(rig.link.lower_rad - 3, rig.link.upper_rad + 3)
        rig.run(10, wild)
    sent = np.array([cycle.sent_rad for cycle in rig.cycles])
    tick = units.RAD_PER_TICK
    assert (sent >= rig.link.lower_rad - tick).all()
    assert (sent <= rig.link.upper_rad + tick).all()
    largest_step = rig.robot.motion.velocity_rad_s / rig.robot.rate_hz
    assert np.abs(np.diff(sent, axis=0)).max() <= largest_step * 1.01 + tick


def test_a_stale_command_holds_within_its_time_and_only_a_fresh_engage_moves_again() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig, finger_r_joint6=1.5)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.run(20, target)
    rig.cycles.clear()
    last = rig.run(40)
    held = next(i for i, cycle in enumerate(rig.cycles) if cycle.status.state is State.HOLD)
    assert held <= 11
    assert "no fresh command" in last.status.reason
    settled = np.array([cycle.sent_rad for cycle in rig.cycles[held + 6 :]])
    assert np.ptp(settled, axis=0).max() <= units.RAD_PER_TICK
    resumed = rig.run(20, target)
    assert resumed.status.state is State.HOLD
    assert rig.loop.request_engage() == ""
    assert rig.run(100, target).reading.position_rad[5] > 1.4


def test_a_short_pause_of_the_computer_is_bridged_without_motion_on_the_old_command() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig, finger_r_joint6=1.5)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.run(20, target)
    rig.line.now_ns += 110 * MS
    rig.cycles.clear()
    rig.run(4)
    assert [cycle.status.state for cycle in rig.cycles] == [State.ENGAGED] * 4
    assert [cycle.capture_ns for cycle in rig.cycles] == [None] * 4
    assert rig.run(100, target).reading.position_rad[5] > 1.4


def test_a_pause_longer_than_the_grace_holds() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig, finger_r_joint6=1.5)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.run(5, target)
    rig.line.now_ns += 110 * MS
    assert rig.run(10).status.state is State.HOLD


def test_a_loop_that_is_always_slow_still_holds_on_a_stale_command() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig, finger_r_joint6=1.5)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.run(5, target)
    for _ in range(10):
        rig.line.now_ns += 30 * MS
        last = rig.run(1)
    assert last.status.state is State.HOLD


def test_an_old_command_does_not_engage_right_after_a_pause() -> None:
    rig = Rig("hx5_d20_right")
    rig.run(3, pose(rig))
    rig.line.now_ns += 110 * MS
    rig.run(1)
    assert "no fresh command" in rig.loop.request_engage()


def test_engaging_is_measured_from_where_the_robot_is_not_from_the_last_goal() -> None:
    rig = Rig("op3")
    target = pose(rig)
    rig.run(3, target)
    for ticks in range(0, 901, 100):
        rig.line.virtual.device(5).turn_to(2048 + ticks)
        rig.run(1, target)
    refusal = rig.loop.request_engage()
    assert "r_el is" in refusal
    assert "rad away" in refusal


def test_a_protective_stop_keeps_torque_on_and_needs_no_new_set_up() -> None:
    rig = Rig("op3")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_stop("asked")
    assert rig.run(3, target).status.state is State.STOPPED
    before = len(rig.line.instructions)
    assert rig.loop.request_engage() == ""
    assert rig.run(1, target).status.state is State.ENGAGED
    assert len(rig.line.instructions) - before <= 2
    assert all(rig.line.virtual.device(joint.id).peek("Torque Enable") for joint in rig.robot.joints)


@pytest.mark.parametrize(("name", "index"), [("op3", 4), ("hx5_d20_right", 5)])
def test_a_joint_that_was_pushed_outside_its_limits_does_not_jump_when_torque_comes_on(name: str, index: int) -> None:
    rig = Rig(name, connect=False)
    servo = rig.line.virtual.device(rig.robot.joints[index].id)
    outside = rig.robot.joints[index].min_rad - 0.2
    servo.turn_to(int(units.ticks_from_rad(outside)))
    rig.loop.connect()
    stood = rig.run(40).reading.position_rad[index]
    assert stood == pytest.approx(outside, abs=0.01)
    target = pose(rig)
    rig.loop._robot = rig.robot.model_copy(
        update={"motion": rig.robot.motion.model_copy(update={"engage_distance_rad": 4.0})}
    )
    rig.run(2, target)
    rig.cycles.clear()
    assert rig.loop.request_engage() == ""
    rig.run(250, target)
    sent = np.array([cycle.sent_rad[index] for cycle in rig.cycles])
    assert sent[-1] == pytest.approx(target[index], abs=0.01)
    assert np.abs(np.diff(sent)).max() <= rig.robot.motion.velocity_rad_s / 100 * 1.01 + units.RAD_PER_TICK


def test_a_pose_that_can_not_be_is_refused_before_torque() -> None:
    rig = Rig("op3", connect=False)
    joints = [joint.model_copy(update={"min_rad": -0.5, "max_rad": 0.5}) for joint in rig.robot.joints]
    rig.loop._robot = rig.robot.model_copy(update={"joints": tuple(joints)})
    rig.line.virtual.device(5).turn_to(2048 + 900)
    with pytest.raises(DeviceError, match=r"r_el stands at 1.38 rad, its limits are -0.50 … 0.50"):
        rig.loop.connect()
    assert not any(rig.line.virtual.device(joint.id).peek("Torque Enable") for joint in rig.robot.joints)


def test_an_unknown_hardware_error_holds_as_well() -> None:
    rig = Rig("op3")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.line.virtual.device(5).raise_hardware_error(0b1000000, rig.line.now_ns)
    last = rig.run(10, target)
    assert last.status.state is State.HOLD
    assert "r_el (ID 5): unknown error (bit 6)" in last.status.reason


def test_a_servo_whose_torque_went_off_is_noticed() -> None:
    rig = Rig("op3")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.line.virtual.device(5).poke("Torque Enable", 0)
    last = rig.run(130, target)
    assert last.status.state is State.STOPPED
    assert "lost torque" in last.status.reason


def test_a_finger_motor_whose_own_watchdog_fired_is_noticed_and_comes_back_with_the_next_engage() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.line.virtual.device(117).poke("Bus Watchdog", -1)
    last = rig.run(230, target)
    assert last.status.state is State.STOPPED
    assert "stopped by themselves" in last.status.reason
    assert rig.loop.request_engage() == ""
    assert rig.run(230, target).status.state is State.ENGAGED


@pytest.mark.parametrize("name", ROBOTS)
def test_after_a_power_cut_nothing_is_made_up_nothing_moves_and_an_engage_brings_the_robot_back(name: str) -> None:
    rig = Rig(name)
    target = pose(rig)
    rig.run(3, target)
    assert rig.loop.request_engage() == ""
    before = rig.run(20, target).reading.position_rad
    rig.line.virtual.set_power(False)
    assert rig.run(60, target).status.state is State.STOPPED
    rig.line.virtual.set_power(True)
    rig.line.now_ns += 300 * MS
    rig.cycles.clear()
    assert rig.run(130, target).status.state is State.STOPPED
    for cycle in rig.cycles:
        fresh = cycle.reading.fresh
        assert np.abs(cycle.reading.position_rad[fresh] - before[fresh]).max(initial=0.0) < 0.05
    rig.run(1, target)
    assert rig.loop.request_engage() == ""
    last = rig.run(30, target)
    assert last.status.state is State.ENGAGED, last.status.reason
    assert last.reading.fresh.all()
    assert all(rig.line.virtual.device(joint.id).peek("Torque Enable") for joint in rig.robot.joints)


def test_engaging_an_unpowered_robot_says_so_and_stays_stopped() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig)
    rig.run(3, target)
    rig.line.virtual.set_power(False)
    rig.run(60, target)
    rig.loop.request_engage()
    last = rig.run(5, target)
    assert last.status.state is State.STOPPED
    assert "is the robot powered" in last.status.reason


def test_torque_goes_off_on_every_motor_even_when_the_hands_controller_is_silent() -> None:
    rig = Rig("hx5_d20_right")
    rig.run(3)
    rig.line.virtual.set_silent(110, True)
    rig.loop.disconnect()
    assert not any(rig.line.virtual.device(joint.id).peek("Torque Enable") for joint in rig.robot.joints)


def test_a_loop_that_stalls_finds_the_servos_stopped_by_their_watchdog() -> None:
    rig = Rig("op3")
    target = pose(rig, r_el=0.3)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.run(5, target)
    rig.line.now_ns += 700 * MS
    last = rig.run(3, target)
    assert last.status.state is State.STOPPED
    assert "watchdog" in last.status.reason
    frozen = last.reading.position_rad
    assert np.abs(rig.run(30, target).reading.position_rad - frozen).max() <= 2 * units.RAD_PER_TICK


def test_engaging_after_a_watchdog_stop_starts_from_the_measured_pose() -> None:
    rig = Rig("op3")
    target = pose(rig, r_el=0.3)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.run(20, target)
    rig.line.now_ns += 700 * MS
    stopped = rig.run(2, target)
    assert stopped.status.state is State.STOPPED
    rig.loop.offer(Command(target, rig.line.now_ns, rig.line.now_ns))
    assert rig.loop.request_engage() == ""
    assert rig.loop.status.state is State.ENGAGED
    first = rig.run(1, target)
    assert first.status.state is State.ENGAGED
    assert np.abs(first.sent_rad - stopped.reading.position_rad).max() < 0.03
    assert rig.run(150, target).reading.position_rad[4] == pytest.approx(0.3, abs=0.01)


def test_one_silent_servo_leaves_the_others_fresh_and_holds_the_robot() -> None:
    rig = Rig("op3")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.line.virtual.set_silent(7, True)
    last = rig.run(10, target)
    assert last.reading.fresh.sum() == 19
    assert not last.reading.fresh[6]
    assert np.isnan(last.reading.position_rad[6])
    assert last.status.state is State.HOLD
    assert "r_hip_yaw (ID 7) does not answer" in last.status.reason


def test_power_loss_stops_the_robot_and_names_power() -> None:
    rig = Rig("hx5_d20_right")
    rig.run(3)
    rig.line.virtual.set_power(False)
    last = rig.run(60)
    assert last.status.state is State.STOPPED
    assert "check robot power" in last.status.reason
    assert not last.reading.fresh.any()


@pytest.mark.parametrize(("name", "servo_id", "joint"), [("hx5_d20_right", 117, "finger_r_joint6"), ("op3", 5, "r_el")])
def test_a_hardware_error_holds_the_robot_and_is_named(name: str, servo_id: int, joint: str) -> None:
    rig = Rig(name)
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.line.virtual.device(servo_id).raise_hardware_error(0b100000, rig.line.now_ns)
    last = rig.run(120, target)
    assert last.status.state is State.HOLD
    assert f"{joint} (ID {servo_id}): overloaded" in last.status.reason


def test_a_finger_motor_that_falls_silent_behind_its_controller_is_noticed() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    rig.line.virtual.set_silent(117, True)
    last = rig.run(220, target)
    assert not last.reading.fresh[5]
    assert last.status.state is not State.ENGAGED


@pytest.mark.parametrize("name", ROBOTS)
def test_a_soft_release_ends_with_torque_off(name: str) -> None:
    rig = Rig(name)
    rig.run(5)
    rig.loop.request_stop("shutting down")
    for share in (0.8, 0.5, 0.2, 0.0):
        rig.loop.let_go(share)
    rig.loop.disconnect()
    assert all(rig.line.virtual.device(joint.id).peek("Torque Enable") == 0 for joint in rig.robot.joints)


def test_each_cycle_knows_the_camera_frame_that_caused_it() -> None:
    rig = Rig("hx5_d20_right")
    target = pose(rig)
    rig.run(3, target)
    rig.loop.request_engage()
    cycle = rig.run(1, target)
    assert cycle.capture_ns is not None
    assert 30 * MS <= cycle.written_ns - cycle.capture_ns <= 45 * MS
    rig.loop.request_release()
    assert rig.run(1, target).capture_ns is None
