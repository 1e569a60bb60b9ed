# SPDX-License-Identifier: Apache-2.0
"""Laws of the motion limiter: whatever is asked for, what leaves it is a motion that the robot may make."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruckig import RuckigError

from robots import load_robot
from robots.limiter import SOFT_START_S, SOFT_START_SHARE, STOP_FACTOR, MotionLimiter, Step

HAND, OP3, BODY = load_robot("hx5_d20_right"), load_robot("op3"), load_robot("ffw_sh5")
FAR = OP3.model_copy(
    update={"joints": tuple(j.model_copy(update={"min_rad": -2.8, "max_rad": 2.8}) for j in OP3.joints)}
)
"""OP3 with room to get to full speed."""
PERIOD_S = 0.01
SLACK = 1.01

seeds = st.integers(0, 2**32 - 1)
robots = st.sampled_from([HAND, OP3])
targets = st.sampled_from(["near", "anywhere", "far outside", "noisy", "turns about", "not a number"])
stretches = st.tuples(st.sampled_from(["follow", "follow", "follow", "hold", "soften"]), targets, st.integers(1, 40))


def lower(robot):
    return np.array([joint.min_rad for joint in robot.joints])


def upper(robot):
    return np.array([joint.max_rad for joint in robot.joints])


def somewhere(robot, rng):
    return rng.uniform(lower(robot), upper(robot))


def target(kind, robot, rng, now):
    """A target (n,) of some kind."""
    size = len(robot.joints)
    return {
        "near": now + rng.normal(0, 0.02, size),
        "anywhere": somewhere(robot, rng),
        "far outside": rng.choice([-1e9, 1e9, -np.inf, np.inf], size),
        "noisy": somewhere(robot, rng) + rng.normal(0, 0.3, size),
        "turns about": np.where(rng.random(size) < 0.5, lower(robot), upper(robot)),
        "not a number": np.where(rng.random(size) < 0.2, np.nan, now),
    }[kind]


def braking_jerk(caps):
    return max(caps.jerk_rad_s3, STOP_FACTOR * caps.acceleration_rad_s2 / PERIOD_S)


class Motion:
    """A limiter with everything that it has emitted, beginning with the measured pose."""

    def __init__(self, robot, start):
        self.limiter = MotionLimiter(robot, PERIOD_S)
        self.limiter.start(start)
        self.position, self.velocity, self.holds = [start], [np.zeros(len(start))], [False]

    def add(self, step: Step, hold=False):
        self.position.append(step.position_rad)
        self.velocity.append(step.velocity_rad_s)
        self.holds.append(hold)

    def follow(self, target_rad, periods=1):
        for _ in range(periods):
            self.add(self.limiter.follow(target_rad), hold=bool(np.isnan(target_rad).any()))

    def hold(self, periods=1):
        for _ in range(periods):
            self.add(self.limiter.hold(), hold=True)

    @property
    def acceleration(self):
        """(periods, n) mean acceleration of each period."""
        return np.diff(self.velocity, axis=0) / PERIOD_S

    def jerk_cap(self, caps):
        """(periods, 1) the robot's jerk, and while braking and in the period after that what a brake takes at once."""
        braking = np.array(self.holds[1:], bool) | np.array(self.holds[:-1], bool)
        return (caps.jerk_rad_s3 + np.where(braking, braking_jerk(caps), 0.0))[:, None]

    @property
    def jerk(self):
        return np.diff(self.acceleration, axis=0, prepend=np.zeros((1, len(self.position[0])))) / PERIOD_S


def play(robot, seed, plan):
    rng = np.random.default_rng(seed)
    motion = Motion(robot, somewhere(robot, rng))
    for act, kind, periods in plan:
        if act == "hold":
            motion.hold(periods)
            continue
        if act == "soften":
            motion.limiter.soften()
        aim = target(kind, robot, rng, motion.position[-1])
        for _ in range(periods):
            motion.follow(target(kind, robot, rng, motion.position[-1]) if kind == "noisy" else aim)
    return motion


@given(robots, seeds, st.lists(st.sampled_from([0.0, 0.05, 0.2, 0.33, 0.5, 0.85, 1.0, 1.4, 3.0]), max_size=60))
def test_steps_of_any_length_keep_every_cap_over_the_time_that_has_passed(robot, seed, shares):
    rng = np.random.default_rng(seed)
    limiter, before = MotionLimiter(robot, PERIOD_S), somewhere(robot, rng)
    limiter.start(before)
    speed, aim = np.zeros(len(before)), somewhere(robot, rng)
    for share in shares:
        limiter.passed(share * PERIOD_S)
        step = limiter.follow(aim)
        counted_s = PERIOD_S * (1.0 if share > 0.9 else max(share, 0.1))
        assert (np.abs(step.position_rad - before) <= np.array(robot.velocity_rad_s) * counted_s + 1e-9).all()
        most = np.array(robot.acceleration_rad_s2) * counted_s
        assert (np.abs(step.velocity_rad_s - speed) <= most * SLACK + 1e-9).all()
        before, speed = step.position_rad, step.velocity_rad_s


@settings(max_examples=60)
@given(robots, seeds, st.lists(stretches, max_size=8))
def test_what_leaves_the_limiter_is_inside_every_limit_of_the_robot(robot, seed, plan):
    motion = play(robot, seed, plan)
    position, velocity = np.array(motion.position), np.array(motion.velocity)
    caps = robot.motion
    assert np.isfinite(position).all() and np.isfinite(velocity).all()
    assert (position >= lower(robot)).all() and (position <= upper(robot)).all()
    assert (np.abs(velocity) <= SLACK * caps.velocity_rad_s).all()
    assert (np.abs(np.diff(position, axis=0)) <= SLACK * caps.velocity_rad_s * PERIOD_S).all()
    assert (np.abs(motion.acceleration) <= SLACK * STOP_FACTOR * caps.acceleration_rad_s2).all()
    assert (np.abs(motion.jerk) <= SLACK * motion.jerk_cap(caps)).all()


@settings(max_examples=30)
@given(seeds, st.lists(stretches, max_size=6))
def test_every_joint_keeps_its_own_caps(seed, plan):
    """A body of arms, fingers, head and a lift in metres."""
    motion = play(BODY, seed, plan)
    position, velocity = np.array(motion.position), np.array(motion.velocity)
    assert (position >= lower(BODY)).all() and (position <= upper(BODY)).all()
    assert (np.abs(velocity) <= SLACK * np.array(BODY.velocity_rad_s)).all()
    assert (np.abs(motion.acceleration) <= SLACK * STOP_FACTOR * np.array(BODY.acceleration_rad_s2)).all()


@settings(max_examples=60)
@given(robots, seeds, st.lists(stretches, max_size=8))
def test_without_a_hold_acceleration_keeps_the_ordinary_cap(robot, seed, plan):
    plan = [(act, kind, n) for act, kind, n in plan if act != "hold" and kind != "not a number"]
    motion = play(robot, seed, plan)
    if plan:
        assert (np.abs(motion.acceleration) <= SLACK * robot.motion.acceleration_rad_s2).all()


@settings(max_examples=60)
@given(robots, seeds, st.lists(stretches, max_size=8))
def test_positions_are_the_integral_of_the_velocities(robot, seed, plan):
    """So nothing is cut off behind the back of the planned motion: no jump hides between two emitted commands."""
    motion = play(robot, seed, plan)
    position, velocity = np.array(motion.position), np.array(motion.velocity)
    moved = np.diff(position, axis=0)
    trapezoid = (velocity[1:] + velocity[:-1]) / 2 * PERIOD_S
    bend = motion.jerk_cap(robot.motion) * PERIOD_S**3 / 12
    assert (np.abs(moved - trapezoid) <= SLACK * bend + 1e-9).all()


@given(robots, seeds, targets)
def test_it_starts_at_the_measured_pose_without_a_jump(robot, seed, kind):
    rng = np.random.default_rng(seed)
    start = somewhere(robot, rng)
    limiter = MotionLimiter(robot, PERIOD_S)
    limiter.start(start)
    first = limiter.follow(target(kind, robot, rng, start))
    assert (np.abs(first.position_rad - start) <= SLACK * robot.motion.jerk_rad_s3 * PERIOD_S**3 / 6).all()


@given(robots, seeds, st.floats(0, 2))
def test_a_pose_measured_outside_the_limits_stays_in_a_hold_and_only_ever_moves_inside(robot, seed, far):
    start = upper(robot) + far
    motion = Motion(robot, start)
    motion.hold(3)
    assert motion.position[-1] == pytest.approx(start)
    motion.follow(upper(robot) + 9.0, periods=300)
    assert (np.diff(motion.position, axis=0) <= 1e-6).all()
    assert motion.position[-1] == pytest.approx(upper(robot))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_an_unknown_pose_is_no_place_to_start_from(wrong):
    start = np.zeros(20)
    start[3] = wrong
    with pytest.raises(ValueError, match="pose that is not known"):
        MotionLimiter(OP3, PERIOD_S).start(start)


@settings(max_examples=30)
@given(robots, seeds)
def test_a_constant_target_is_reached_and_kept(robot, seed):
    rng = np.random.default_rng(seed)
    motion = Motion(robot, somewhere(robot, rng))
    aim = somewhere(robot, rng)
    motion.follow(aim, 400)
    assert motion.position[-1] == pytest.approx(aim, abs=1e-6)
    assert motion.velocity[-1] == pytest.approx(np.zeros(len(aim)), abs=1e-6)
    motion.follow(aim, 5)
    assert motion.position[-1] == pytest.approx(aim, abs=1e-6)


@settings(max_examples=30)
@given(robots, seeds)
def test_a_target_outside_the_limits_leads_to_the_limit(robot, seed):
    rng = np.random.default_rng(seed)
    motion = Motion(robot, somewhere(robot, rng))
    motion.follow(upper(robot) + 5.0, 400)
    assert motion.position[-1] == pytest.approx(upper(robot), abs=1e-6)


@settings(max_examples=40)
@given(robots, seeds, st.lists(stretches, min_size=1, max_size=5))
def test_a_hold_comes_to_a_standstill_and_keeps_it(robot, seed, plan):
    motion = play(robot, seed, plan)
    caps = robot.motion
    slowest_s = caps.velocity_rad_s / caps.acceleration_rad_s2 + 4 * caps.acceleration_rad_s2 / caps.jerk_rad_s3
    motion.hold(int(slowest_s / PERIOD_S) + 5)
    stood = motion.position[-1]
    assert motion.velocity[-1] == pytest.approx(np.zeros(len(stood)), abs=1e-9)
    motion.hold(10)
    assert motion.position[-1] == pytest.approx(stood, abs=1e-12)


def test_a_hold_brakes_harder_than_an_ordinary_motion():
    motion = Motion(FAR, np.full(20, -2.5))
    motion.follow(np.full(20, 2.5), 140)
    assert motion.velocity[-1][0] > 0.9 * OP3.motion.velocity_rad_s
    motion.hold(30)
    assert motion.acceleration.min() < -1.5 * OP3.motion.acceleration_rad_s2


def test_a_target_with_a_nan_is_a_hold():
    followed, held = Motion(OP3, np.zeros(20)), Motion(OP3, np.zeros(20))
    for motion in (followed, held):
        motion.follow(np.full(20, 1.0), 30)
    followed.follow(np.where(np.arange(20) == 3, np.nan, 1.0), 20)
    held.hold(20)
    assert np.array(followed.position) == pytest.approx(np.array(held.position))


@given(robots, seeds)
def test_the_first_second_is_slow(robot, seed):
    """The velocity cap rises from a quarter to full."""
    motion = Motion(robot, lower(robot))
    motion.follow(upper(robot), int(SOFT_START_S / PERIOD_S))
    rise = np.arange(len(motion.velocity)) * PERIOD_S / SOFT_START_S
    cap = robot.motion.velocity_rad_s * (SOFT_START_SHARE + (1 - SOFT_START_SHARE) * rise)
    assert (np.abs(motion.velocity) <= SLACK * cap[:, None]).all()


def test_softening_slows_a_motion_down_and_lets_it_go_on():
    motion = Motion(FAR, np.full(20, -2.5))
    motion.follow(np.full(20, 2.5), 140)
    fast = motion.velocity[-1][0]
    motion.limiter.soften()
    motion.follow(np.full(20, 2.5), 15)
    assert 0 < motion.velocity[-1][0] < 0.5 * fast
    motion.follow(np.full(20, 2.5), 400)
    assert motion.position[-1] == pytest.approx(np.full(20, 2.5), abs=1e-6)


def test_narrower_limits_of_the_servos_win():
    narrow = MotionLimiter(OP3, PERIOD_S, np.full(20, -0.5), np.full(20, 0.5))
    narrow.start(np.zeros(20))
    for _ in range(300):
        step = narrow.follow(np.full(20, 2.0))
    assert step.position_rad == pytest.approx(np.full(20, 0.5), abs=1e-6)


def test_when_no_motion_can_be_computed_it_stands_still_where_it_is():
    class Broken:
        def update(self, *_):
            raise RuckigError("no")

    motion = Motion(OP3, np.zeros(20))
    motion.follow(np.full(20, 1.0), 30)
    before, sound = motion.position[-1], motion.limiter._otg
    motion.limiter._otg = Broken()
    for _ in range(3):
        step = motion.limiter.follow(np.full(20, 1.0))
        assert step.position_rad == pytest.approx(before)
        assert step.velocity_rad_s == pytest.approx(np.zeros(20))
    motion.limiter._otg = sound
    after = motion.limiter.follow(np.full(20, 1.0))
    assert np.abs(after.position_rad - before).max() <= SLACK * OP3.motion.jerk_rad_s3 * PERIOD_S**3 / 6
