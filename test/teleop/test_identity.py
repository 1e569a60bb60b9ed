# SPDX-License-Identifier: Apache-2.0
"""Hands keep their side as long as they are followed; who can't be told apart is held, and strangers get nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hand_scene import FRAME_NS, START, Person, Scene, Seen, flipped, through_a_mirror
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_hands import FIST, NS_PER_S, OPEN, mirrored, seen, turned

from clips.choreography import POSES_RAD
from teleop.hand_tracks import hand_length, match, measure, tangles
from teleop.identity import BACK_NS, SURE_FRAMES, HandIdentity, other

BOTH = {"right": "operator right", "left": "operator left"}
SECOND = NS_PER_S // FRAME_NS
seeds = st.integers(0, 10_000)


def settled(seed=0, person=None, body=False):
    """A scene in which the operator's hands are known."""
    scene, person = Scene(HandIdentity(), seed), person or Person()
    for _ in range(6):
        answer = scene.show(person.hands(scene.rng), person.body(scene.now_ns) if body else None)
    assert answer == BOTH
    return scene, person


def wrong(answer):
    """Sides that were given to anybody else's hand."""
    return {side: owner for side, owner in answer.items() if owner != BOTH[side]}


# ---- an ordinary operator ---------------------------------------------------------------------------------


def test_hands_count_after_a_few_frames():
    scene, person = Scene(HandIdentity()), Person()
    answers = [scene.show(person.hands(scene.rng)) for _ in range(6)]
    assert answers[: SURE_FRAMES - 1] == [{}] * (SURE_FRAMES - 1)
    assert answers[-1] == BOTH


def test_a_view_is_the_detection_itself():
    scene, person = settled()
    (hand, _) = person.hands(scene.rng)
    views = scene.identity.see([hand], None, scene.now_ns + FRAME_NS)
    assert views["right"].world_m is hand.world_m and views["right"].image is hand.image
    assert views["right"].score == hand.score


@pytest.mark.parametrize("pose", ["fist", "point", "pinch_index", "open"])
def test_shape_does_not_matter(pose):
    settled(person=Person(pose={"right": POSES_RAD[pose], "left": POSES_RAD[pose]}))


def test_nobody_in_view_is_nobody():
    scene = Scene(HandIdentity())
    assert scene.show([]) == {} and scene.identity.reasons == {}


def test_what_is_no_hand_is_left_out():
    scene, person = settled()
    right, left = person.hands(scene.rng)
    nothing = replace(left, world_m=np.full((21, 3), np.nan), owner="nan")
    point = replace(left, image=np.full((21, 2), 0.5), owner="point")
    assert scene.show([right, nothing, point]) == {"right": "operator right"}


@settings(max_examples=30)
@given(seeds)
def test_the_order_of_detections_does_not_matter(seed):
    scene, person = settled(seed)
    for _ in range(10):
        assert scene.show(person.hands(scene.rng)) == BOTH


# ---- wrong labels -----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(seeds, st.integers(1, 30), st.sampled_from(["right", "left", "both"]))
def test_wrong_labels_for_a_second_change_nothing(seed, frames, which):
    scene, person = settled(seed)
    for _ in range(frames):
        hands = [flipped(hand) if which in (hand.side, "both") else hand for hand in person.hands(scene.rng)]
        assert scene.show(hands) == BOTH
    assert scene.show(person.hands(scene.rng)) == BOTH


@given(seeds, st.sampled_from(["right", "left"]))
def test_two_hands_under_one_label_are_told_apart_by_their_shape(seed, label):
    scene, person = Scene(HandIdentity(), seed), Person()
    for _ in range(40):
        answer = scene.show([replace(hand, side=label) for hand in person.hands(scene.rng)])
        assert wrong(answer) == {}
    assert answer == BOTH


@given(seeds)
def test_two_hands_under_one_label_are_told_apart_by_the_body(seed):
    """Even where their shape says nothing: both are drawn as right hands."""
    scene, person = Scene(HandIdentity(), seed), Person()
    for _ in range(40):
        right, left = person.hands(scene.rng)
        left = replace(left, side="right", score=0.6, world_m=mirrored(left.world_m))
        answer = scene.show([right, left], person.body(scene.now_ns))
        assert wrong(answer) == {}
    assert answer == BOTH


@given(seeds)
def test_two_hands_that_nothing_tells_apart_are_both_held_with_a_reason(seed):
    scene, person = Scene(HandIdentity(), seed), Person()
    for _ in range(40):
        right, left = person.hands(scene.rng)
        left = replace(left, side="right", world_m=mirrored(left.world_m))
        assert scene.show([right, left]) == {}
    assert scene.identity.reasons["right"] == "2 right hands are in view: show one only"
    assert "2 right hands" in scene.identity.status()["hands_held"]


def test_a_wrong_side_at_first_is_noticed_and_given_up_before_it_is_put_right():
    """Hands are first seen under wrong labels and shapes; nobody changes sides from one frame to the next."""
    scene, person = Scene(HandIdentity()), Person()
    for _ in range(20):
        scene.show([replace(flipped(hand), world_m=mirrored(hand.world_m)) for hand in person.hands(scene.rng)])
    assert scene.answers[-1] == {"right": "operator left", "left": "operator right"}
    while scene.answers[-1] != BOTH:
        assert len(scene.answers) < 10 * SECOND
        scene.show(person.hands(scene.rng))
    for owner in BOTH.values():
        sides = [next((s for s, o in answer.items() if o == owner), None) for answer in scene.answers]
        changes = [pair for pair in pairwise(sides) if None not in pair and pair[0] != pair[1]]
        assert changes == []


@given(seeds)
def test_a_mirrored_camera_exchanges_the_hands_as_a_whole(seed):
    plain, mirror, person = Scene(HandIdentity(), seed), Scene(HandIdentity(), seed), Person()
    for _ in range(10):
        hands = person.hands(np.random.default_rng(seed))
        one, two = plain.show(hands), mirror.show([through_a_mirror(hand) for hand in hands])
        assert two == {other(side): owner for side, owner in one.items()}
    assert one == BOTH


# ---- hands that meet --------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    seeds,
    st.floats(0.4, 1.5),
    st.floats(-0.05, 0.05),
    st.floats(0.0, 0.15),
    st.integers(0, 45),
    st.integers(0, 30),
    st.booleans(),
)
def test_crossing_hands_are_never_exchanged(seed, seconds, aside_m, before_m, flip_at, flips, hides):
    scene, person = settled(seed)
    frames = int(seconds * SECOND)
    for k in range(frames + 2 * SECOND):
        x = min(1.0, k / frames)
        share, bow = x**3 * (10 - 15 * x + 6 * x * x), np.sin(np.pi * x)
        person.right = (-0.25 + 0.5 * share, 0.1 + aside_m * bow, 0.8 + before_m * bow)
        person.left = (0.25 - 0.5 * share, 0.1, 0.8)
        hands = person.hands(scene.rng)
        if hides and abs(person.right[0] - person.left[0]) < 0.05:
            hands = hands[1:]
        if flip_at <= k < flip_at + flips:
            hands = [flipped(hand) for hand in hands]
        assert wrong(scene.show(hands)) == {}
    assert scene.answers[-1] == BOTH


def test_hands_on_top_of_each_other_are_held_and_come_back_as_themselves():
    scene, person = settled()
    for k in range(40):
        near = abs(k - 20) / 20
        person.right, person.left = (-0.25 * near, 0.1, 0.8), (0.25 * near, 0.1, 0.8)
        answer = scene.show(person.hands(scene.rng))
        assert wrong(answer) == {}
        if k == 20:
            assert answer == {}
            assert scene.identity.reasons["right"] == "hands too close to be told apart: move them apart"
    assert answer == BOTH
    assert scene.identity.doubts > 0


# ---- hands that vanish ------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(seeds, st.integers(1, SECOND - 3))
def test_a_hand_that_comes_back_where_it_was_is_the_same_hand(seed, frames):
    scene, person = settled(seed)
    for hidden in (frozenset({"right"}), frozenset()):
        person.hidden = hidden
        for _ in range(frames if hidden else 1):
            answer = scene.show(person.hands(scene.rng))
    assert answer == BOTH


@settings(max_examples=30)
@given(seeds, st.floats(0.5, 0.7) | st.floats(1.45, 2.0), st.integers(0, 3))
def test_a_hand_of_another_size_where_one_vanished_is_not_that_hand(seed, size, gap):
    scene, person = settled(seed)
    stranger = Person("stranger", right=person.right, size=1.0)
    person.hidden = frozenset({"right"})
    for _ in range(gap):
        scene.show(person.hands(scene.rng))
    stranger.right = (*np.array(person.right)[:2] / size, person.right[2] / size)
    stranger.hidden = frozenset({"left"})
    for _ in range(int(BACK_NS / FRAME_NS) - gap - 2):
        answer = scene.show(person.hands(scene.rng) + stranger.hands(scene.rng))
        assert wrong(answer) == {}


def test_a_hand_is_forgotten_after_a_while():
    scene, person = settled()
    scene.show([])
    scene.now_ns += 2 * BACK_NS
    scene.show([])
    assert scene.show(person.hands(scene.rng)) == {}


# ---- other people -----------------------------------------------------------------------------------------


def places(rng):
    return tuple(rng.uniform([-0.5, -0.2, 0.4], [0.5, 0.3, 0.7]))


@settings(max_examples=60)
@given(seeds, st.booleans(), st.integers(0, 60), st.integers(1, SECOND - 3))
def test_a_bystanders_hands_never_become_the_operators(seed, body, hide_at, hidden):
    """They come near, cover the operator's, are larger and surer; the operator's right hand hides for a while."""
    scene, person = settled(seed, body=body)
    rng = scene.rng
    bystander = Person("bystander", (-1.2, 0.0, 0.7), (1.2, 0.0, 0.7))
    goals = np.array([places(rng), places(rng)])
    starts = np.array([bystander.right, bystander.left])
    for k in range(100):
        share = min(1.0, k / 60)
        bystander.right, bystander.left = map(tuple, (1 - share) * starts + share * goals)
        person.hidden = frozenset({"right"}) if hide_at <= k < hide_at + hidden else frozenset()
        hands = person.hands(rng) + [replace(hand, score=0.999) for hand in bystander.hands(rng)]
        assert wrong(scene.show(hands, person.body(scene.now_ns) if body else None)) == {}


@settings(max_examples=30)
@given(seeds)
def test_a_hand_away_from_both_of_the_operators_wrists_is_a_strangers(seed):
    scene = Scene(HandIdentity(), seed)
    person = Person(hidden=frozenset({"right"}))
    stranger = Person("stranger", right=(0.0, -0.2, 0.6), hidden=frozenset({"left"}))
    for _ in range(3 * SECOND):
        answer = scene.show(person.hands(scene.rng) + stranger.hands(scene.rng), person.body(scene.now_ns))
        assert wrong(answer) == {}
    assert answer == {"left": "operator left"}
    assert scene.identity.strangers == 1


def test_a_hand_that_leaves_its_wrist_is_held_at_once_and_then_given_up():
    scene, person = settled(body=True)
    away = Person(right=(-0.6, -0.2, 0.8), left=person.left).body
    answer = scene.show(person.hands(scene.rng), away(scene.now_ns))
    assert answer == {"left": "operator left"}
    assert scene.identity.reasons == {"right": "this hand is not at the operator's right wrist"}
    for _ in range(10):
        assert scene.show(person.hands(scene.rng), away(scene.now_ns)) == {"left": "operator left"}


def test_an_old_view_of_the_body_says_nothing():
    scene, person = settled(body=True)
    away = Person(right=(-0.6, -0.2, 0.8)).body(START)
    assert scene.show(person.hands(scene.rng), away) == BOTH
    hidden = replace_visibility(Person(right=(-0.6, -0.2, 0.8)).body(scene.now_ns), 0.1)
    assert scene.show(person.hands(scene.rng), hidden) == BOTH


def replace_visibility(body, value):
    return replace(body, visibility=np.full(33, value))


def test_one_hand_that_is_found_twice_is_one_hand():
    scene, person = settled()
    for _ in range(20):
        hands = person.hands(scene.rng)
        again = [replace(hand, score=0.99, image=hand.image + 0.002, owner=hand.owner) for hand in hands]
        assert scene.show(hands + again) == BOTH
    assert scene.identity.strangers == 0


# ---- parts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pose", [OPEN, FIST])
@given(st.floats(0.3, 2.0), st.floats(-50, 50), st.sampled_from([0, 1, 2]))
def test_a_hands_length_depends_on_its_distance_only(pose, distance_m, degrees, axis):
    world = turned(seen(pose), axis, degrees)
    far = hand_length(world, world[:, :2] / distance_m)
    assert far == pytest.approx(0.18 / distance_m, rel=1e-6)


@pytest.mark.parametrize("left", [True, False])
def test_the_shape_of_a_hand_mostly_tells_its_side(left):
    person, seen_as = Person(hidden=frozenset({"right"} if left else {"left"})), []
    for seed in range(300):
        (hand,) = person.hands(np.random.default_rng(seed))
        seen_as.append(measure(Seen("right", 0.9, hand.world_m, hand.image), 16 / 9).chirality * (-1 if left else 1))
    assert np.mean(np.array(seen_as) > 0.5) > 0.985
    assert np.mean(np.array(seen_as) < -0.2) < 0.01


costs = st.lists(
    st.lists(st.floats(0.0, 2.0) | st.just(float("inf")), min_size=3, max_size=3), min_size=0, max_size=4
).map(lambda rows: np.array(rows).reshape(len(rows), 3))


@given(costs)
def test_matches_are_one_to_one_and_possible(table):
    found = match(table)
    assert len(set(found.values())) == len(found)
    assert all(np.isfinite(table[track, sighting]) for track, sighting in found.items())


@given(costs)
def test_no_track_is_left_alone_with_a_sighting_that_fits_it(table):
    found = match(table)
    for track in range(len(table)):
        if track not in found:
            free = [k for k in range(3) if k not in found.values()]
            assert not any(np.isfinite(table[track, k]) for k in free)


def test_a_pair_is_tangled_where_an_exchange_costs_little():
    clear, close = np.array([[0.1, 1.5], [1.5, 0.1]]), np.array([[0.1, 0.2], [0.2, 0.1]])
    assert tangles(clear, match(clear)) == []
    assert tangles(close, match(close)) == [(0, 1)]
    merged = np.array([[0.1], [0.2]])
    assert tangles(merged, match(merged)) == [(0, 1)]
