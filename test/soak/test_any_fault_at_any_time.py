# SPDX-License-Identifier: Apache-2.0
"""Long runs: faults of every kind, drawn by chance, one after the other and on top of each other."""

import gc
import random
import resource

import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.safety import MOVING, State

ROUNDS = counted(12, 2_000)
ROBOTS = ("op3", "hx5_d20_right", "ffw_sh5")
MOST_GROWTH_KIB = 20 * 1024


def make_a_fault(rig: FaultRig, rng: random.Random) -> None:
    """One of all that can go wrong, at one device or on the whole line."""
    panel, joint = rig.panel, rng.choice(rig.robot.joints)
    line = rng.choice(list(rig.lines.values()))
    match rng.randrange(9):
        case 0:
            panel.set_silent(joint.id, True)
        case 1:
            panel.set_noise(10 ** rng.uniform(-6, -3), rng.randrange(1000))
        case 2:
            panel.set_power(rng.choice(["all", rig.robot.branch_of(joint)]), on=False)
        case 3:
            panel.cut_next_answer()
        case 4:
            line.unplugged = True
        case 5:
            panel.overheat(joint.id)
        case 6:
            rig.loop.request_stop("asked")
        case 7:
            rig.loop.set_strangers(("/rogue",))
        case 8:
            rig.pass_time(rng.uniform(0.01, 1.0))


def mend_everything(rig: FaultRig) -> None:
    for line in rig.lines.values():
        line.unplugged = False
    rig.panel.clear()
    rig.loop.set_strangers(())
    for line in rig.lines.values():
        for device in line.virtual.devices:
            if device.alert:
                device.reboot(rig.clock.now_ns)
    rig.run(5 * rig.robot.rate_hz, rig.home)


@pytest.mark.parametrize("seed", range(counted(2, 4)))
@pytest.mark.parametrize("name", ROBOTS)
def test_after_every_mixture_of_faults_the_robot_comes_back_by_an_engage_and_only_by_one(name: str, seed: int) -> None:
    rig, rng = FaultRig(name), random.Random(seed)
    rounds = ROUNDS if name == "op3" else max(2, ROUNDS // 6)
    begin_kib = 0
    for number in range(rounds):
        rig.engage()
        rig.swing(rng.randrange(5, 40))
        for _ in range(rng.randrange(1, 4)):
            make_a_fault(rig, rng)
            rig.swing(rng.randrange(1, 60))
        mend_everything(rig)
        if rig.loop.status.state in MOVING:
            rig.loop.request_release()
        state = rig.run(1).status.state
        assert state in (State.READY, State.HOLD, State.STOPPED)
        rig.engage()
        rig.run(rig.robot.rate_hz, rig.home)
        assert rig.loop.status.state is State.ENGAGED, (number, rig.loop.status)
        assert rig.last.reading.fresh.all()
        rig.loop.request_release()
        rig.run(1)
        assert_invariants(rig)
        rig.cycles.clear()
        rig.acts.clear()
        rig.set_ups.clear()
        for line in rig.lines.values():
            line.instructions.clear()
        if number == rounds // 2:
            gc.collect()
            begin_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gc.collect()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begin_kib < MOST_GROWTH_KIB, "memory grows"
