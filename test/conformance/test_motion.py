# SPDX-License-Identifier: Apache-2.0
"""Three degrees and back: goals are followed, profiles shape or don't. On real servos only with --allow-motion."""

import pytest
from bench_servo import Servo

from drivers import protocol
from drivers.servo_block import GOAL_BYTES, GOAL_OFFSET

pytestmark = pytest.mark.moves
SLOW_S, WATCHED_S, STEP_S, ARRIVAL_S = 0.6, 0.1, 0.15, 3.0


def arrive(servo: Servo, goal: int) -> None:
    """Wait until it stands within one degree of its goal."""
    near = servo.step_ticks // 3
    servo.wait_until(lambda: abs(servo.get("Present Position") - goal) <= near, ARRIVAL_S, f"at {goal}")


def test_a_goal_in_a_sync_write_to_the_block_is_followed_and_back(servo: Servo) -> None:
    servo.point()
    servo.shape(0.0)
    start = servo.hold()
    servo.strengthen()
    item = servo.table["Goal Position"]
    for goal in (servo.step_from(start), start):
        servo.line.bus.sync_write(servo.block + GOAL_OFFSET, GOAL_BYTES, [(servo.id, item.encode(goal))])
        arrive(servo, goal)
    assert servo.get(servo.error_register) == 0


def test_velocity_has_the_sign_of_the_motion(servo: Servo) -> None:
    servo.shape(SLOW_S)
    start = servo.hold()
    servo.strengthen()
    goal = servo.step_from(start)
    servo.set("Goal Position", goal)
    way = 1 if goal > start else -1
    servo.wait_until(lambda: servo.get("Present Velocity") * way > 0, SLOW_S, "a velocity towards the goal")
    arrive(servo, goal)


def test_a_profile_shapes_the_way_to_the_goal(servo: Servo) -> None:
    servo.shape(SLOW_S)
    start = servo.hold()
    servo.strengthen()
    goal = servo.step_from(start)
    servo.set("Goal Position", goal)
    servo.line.talk_to(servo.id, WATCHED_S)
    assert servo.get("Position Trajectory") != goal, "still on its way"
    arrive(servo, goal)


def test_without_a_profile_the_trajectory_is_the_goal(servo: Servo) -> None:
    """Profile registers 0 (a Y: one control period): the driver's own limiter has shaped the goals already."""
    servo.shape(0.0)
    start = servo.hold()
    servo.strengthen()
    goal = servo.step_from(start)
    servo.set("Goal Position", goal)
    servo.wait_until(lambda: servo.get("Position Trajectory") == goal, STEP_S, "the trajectory at the goal")
    arrive(servo, goal)


def test_torque_off_stops_it_from_following(servo: Servo) -> None:
    start = servo.hold()
    servo.set("Torque Enable", 0)
    if "Drive Mode" in servo.table and servo.get("Drive Mode") & 8:
        pytest.skip("a goal would switch its torque on (Drive Mode)")
    servo.ask(protocol.ping(servo.id))
    servo.set("Goal Position", servo.step_from(start))
    servo.line.talk_to(servo.id, 0.2)
    assert abs(servo.get("Present Position") - start) <= servo.jitter_ticks
