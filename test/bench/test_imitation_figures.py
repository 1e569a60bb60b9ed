# SPDX-License-Identifier: Apache-2.0
"""Figures of `booth bench imitation` from made-up films whose errors and delays are known."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bench.imitation as imitation
import bench.imitation_run as run
from bench.imitation_figures import GROUPS, ClipResult, figures, variations
from bench.imitation_horizons import horizon_figures, overshoot_deg
from bench.imitation_picture import draw_imitation, shown_film
from bench.imitation_score import Quantity
from booth.output import result_json
from graph.errors import BoothError, InputError

FPS, RATE_HZ, SECONDS = 30.0, 200.0, 8.0
FRAME_S, CYCLE_S = np.arange(0.0, SECONDS, 1 / FPS), np.arange(0.0, SECONDS, 1 / RATE_HZ)
NAMES = {"fingers": "right_index_pip", "arms": "left_elbow", "wrists": "right_palm", "head": "head_yaw"}
DOCUMENTED = ("flexion_mae_deg", "flexion_r", "arm_mae_deg", "wrist_mae_deg", "head_mae_deg")
DOCUMENTED += ("hand_found_share", "body_found_share", "clips")


def waving(time_s: np.ndarray, gain: float = 1.0) -> np.ndarray:
    """An angle [rad] that goes to and fro every two seconds."""
    return gain * 0.5 * np.sin(np.pi * time_s)


def quantity(group: str, delay_s: float, off_rad: float, gain: float = 1.0) -> Quantity:
    """The robot does what the operator showed so long before, and a constant more."""
    compared = (CYCLE_S > 2.0) & (CYCLE_S < SECONDS - 1 / FPS)
    operator, robot = waving(FRAME_S), waving(CYCLE_S - delay_s, gain) + off_rad
    if group == "wrists":
        operator, robot = (np.stack([np.cos(a), np.sin(a), 0 * a], axis=1) for a in (operator, robot))
    return Quantity(group, NAMES[group], operator, robot, compared)


def film(name: str = "two_hands", off_deg: float = 3.0, delay_s: float = 0.1, gain: float = 1.0, **look) -> ClipResult:
    looked = {"light": "room", "height_m": 1.75, "width": 960, **look}
    parts = tuple(quantity(group, delay_s, np.radians(off_deg), gain) for group in GROUPS)
    return ClipResult(name, 0.9, 1.0, SECONDS - 2.0, ("why",), looked, FRAME_S, CYCLE_S, parts)


def test_error_and_delay_are_those_of_the_film() -> None:
    found = figures([film(off_deg=3.0, delay_s=0.2)])
    for name in GROUPS.values():
        assert found[f"{name}_mae_deg"] == pytest.approx(3.0, abs=0.2)
        assert found[f"{name}_delay_ms"] == pytest.approx(200.0, abs=21.0)
        assert found[f"{name}_instant_mae_deg"] > 5.0
        curve = found["error_by_delay"][name]
        assert min(curve) == found[f"{name}_mae_deg"] and curve[0] == found[f"{name}_instant_mae_deg"]
    assert found["flexion_r"] == pytest.approx(1.0, abs=0.01)


def test_documented_keys_are_numbers_at_the_top_level(capsys: pytest.CaptureFixture[str]) -> None:
    result_json(figures([film(), replace(film("still"), followed_s=0.0, quantities=())]))
    found = json.loads(capsys.readouterr().out)
    assert all(isinstance(found[key], (int, float)) for key in DOCUMENTED)
    assert found["clips"] == 2
    assert found["per_clip"]["still"]["arm_mae_deg"] is None


def test_every_value_of_what_varies_has_its_own_errors() -> None:
    results = [film("a", 2.0), film("b", 4.0), film("c", 8.0, light="dim", height_m=1.62)]
    found = figures(results)["per_variation"]
    assert set(found) == {"light", "height_m"}
    assert list(found["height_m"]) == ["1.62", "1.75"]
    assert found["light"]["dim"]["films"] == ["c"] and found["light"]["room"]["clips"] == 2
    for value, wanted in (("room", 3.0), ("dim", 8.0)):
        for name in GROUPS.values():
            assert found["light"][value][f"{name}_mae_deg"] == pytest.approx(wanted, abs=0.2)


def test_films_of_one_look_vary_in_nothing() -> None:
    assert variations([film("a"), film("b")]) == {}


def test_a_robot_that_never_followed_has_no_figures() -> None:
    with pytest.raises(BoothError, match="in none of 1 films: a: why"):
        figures([replace(film("a"), followed_s=0.0, quantities=())])


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.4])
def test_who_only_comes_late_does_not_go_too_far(delay_s: float) -> None:
    assert overshoot_deg(quantity("fingers", delay_s, 0.0), FRAME_S, CYCLE_S).max() < 0.2


def test_overshoot_is_what_is_beyond_the_operators_extremes() -> None:
    beyond = overshoot_deg(quantity("fingers", 0.1, 0.0, gain=1.2), FRAME_S, CYCLE_S)
    assert beyond.max() == pytest.approx(np.degrees(0.1), abs=0.2)
    assert np.median(beyond) < beyond.max() / 2


def test_horizons_are_compared_row_by_row() -> None:
    rows = horizon_figures({0.0: [film(delay_s=0.2)], 50.0: [film(delay_s=0.14, gain=1.2)]})
    assert [row["prediction_ms"] for row in rows] == [0.0, 50.0]
    assert rows[1]["flexion_delay_ms"] < rows[0]["flexion_delay_ms"]
    assert rows[1]["arm_overshoot_p95_deg"] > rows[0]["arm_overshoot_p95_deg"] + 2.0
    assert "wrist_overshoot_p95_deg" not in rows[0]


def test_the_text_holds_what_the_tables_need() -> None:
    found = figures([film("a"), film("b", light="dim")]) | {"prediction": horizon_figures({0.0: [film()]})}
    text = imitation.describe(found)
    for words in (
        "at the same instant",
        "finger flexion",
        "aim",
        "flexion's correlation 1.00",
        "90.0%",
        "overshoot p95",
        "dim",
    ):
        assert words in text, words


@pytest.mark.parametrize("looks", [[{}], [{}, {"light": "dim", "height_m": 1.6}]])
def test_the_picture_is_drawn_for_one_film_and_for_many(tmp_path: Path, looks: list[dict[str, object]]) -> None:
    results = [film(f"film{k}", **look) for k, look in enumerate(looks)]
    results.append(replace(film("still"), followed_s=0.0, quantities=()))
    draw_imitation(figures(results), results, tmp_path / "picture")
    assert (tmp_path / "picture").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="can't be written"):
        draw_imitation(figures(results), results, tmp_path)


def test_the_film_over_time_is_one_that_was_followed() -> None:
    still = replace(film("two_hands"), followed_s=0.0)
    assert shown_film([film("other"), still]).name == "other"
    assert shown_film([replace(film("other"), followed_s=99.0), film("two_hands")]).name == "two_hands"


def test_a_stop_request_in_the_middle_of_a_film_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(clip: Path, each) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        each(0.5)
        raise AssertionError("it went on")

    monkeypatch.setattr(imitation, "ensure_model", lambda: None)
    monkeypatch.setattr(imitation, "standard_films", lambda names, stopping: [Path("film.mp4")])
    monkeypatch.setattr(imitation, "watch", watch)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        imitation.measure()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"prediction_ms": (0.0, 101.0)}, "prediction_ms should lie between"),
        ({"picture": Path("no/such/folder/x.png")}, "no folder"),
        ({"films": ["two_hands", "nothing"]}, "not in the standard set: nothing; expected of two_hands"),
    ],
)
def test_wrong_input_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch, wrong, told) -> None:
    monkeypatch.setattr(imitation, "ensure_model", lambda: None)
    with pytest.raises(InputError, match=told):
        imitation.measure(**wrong)


def test_the_session_that_copies_a_film_gets_the_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    class AskedError(Exception):
        """What the session was asked for."""

    def session(*args: object, prediction_ms: float) -> None:
        raise AskedError(prediction_ms)

    monkeypatch.setattr(run, "ImitationSession", session)
    monkeypatch.setattr(run, "VirtualTimeDriver", _NoDriver)
    monkeypatch.setattr(run, "_make_ready", lambda driver, period_ns: 0)
    frame = run.OperatorFrame(0, {}, None)
    with pytest.raises(AskedError, match="70"):
        run.follow(imitation.load_robot("op3"), "hands+arms", [frame], 70.0)


class _NoDriver:
    """A driver that is only connected."""

    def __init__(self, robot: object) -> None:
        self.clock = self.loop = self

    def connect(self) -> None:
        """Nothing is behind it."""
