# SPDX-License-Identifier: Apache-2.0
"""Taking answers apart while the next burst is on the wire changes when, not what."""

import numpy as np
from invariants import FaultRig

from drivers.safety import State


def test_an_overlapped_reading_is_that_of_the_cycle_before() -> None:
    rig = FaultRig("ffw_sh5")
    rig.run(5)
    told = []
    for step in range(8):
        servo = rig.device(rig.robot.joints[0].id)
        servo.turn_to(servo.position_ticks(rig.clock.now_ns) + 100)
        before_ns = rig.clock.now_ns
        done = rig.link.exchange(rig.link._sent, overlap=True)
        rig.clock.now_ns += rig.period_ns
        if step == 0:
            assert not done.reading.fresh.any()
            continue
        assert done.reading.fresh.all()
        assert done.read_ns < before_ns
        told.append(done.reading.position_rad[0])
    assert (np.diff(told) > 0).all()


def test_a_tight_loop_follows_and_a_silent_servo_holds_it_with_its_name() -> None:
    rig = FaultRig("op3")
    rig.loop._tight = True
    rig.moving(60)
    assert rig.last.reading.fresh.all()
    rig.panel.set_silent(7, True)
    rig.until_stopped(400)
    assert rig.loop.status.state is State.HOLD
    assert "ID 7" in rig.loop.status.reason
    rig.run(20)
    assert rig.last.reading.fresh.sum() == 19
