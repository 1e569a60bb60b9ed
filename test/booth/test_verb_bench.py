# SPDX-License-Identifier: Apache-2.0
"""`booth bench NAME`: every benchmark gets its own options and prints its figures."""

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from booth import verb_bench
from graph.errors import EXIT_OK


def bench(monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, object]:
    """Parse and run; what the benchmark was called with, and its name."""
    called: dict[str, object] = {}

    def imported(name: str) -> SimpleNamespace:
        called["module"] = name
        return SimpleNamespace(measure=lambda **given: called.update(given) or {"clips": 1}, describe=str)

    monkeypatch.setattr(verb_bench, "import_module", imported)
    parser = argparse.ArgumentParser()
    verb_bench.add(parser.add_subparsers(dest="verb"))
    args = parser.parse_args(["bench", *words])
    assert args.run(args) == EXIT_OK
    return called


def test_timed_benchmarks_get_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench(monkeypatch, "bus") == {"module": "bench.bus", "seconds": 20.0}
    assert bench(monkeypatch, "latency", "--seconds", "3") == {"module": "bench.latency", "seconds": 3.0}


def test_imitation_gets_films_picture_and_horizons(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench(monkeypatch, "imitation") == {
        "module": "bench.imitation",
        "films": [],
        "picture": Path("imitation.png"),
        "prediction_ms": [0.0],
    }
    given = ("--films", "head", "wrists", "--out", "p.png", "--prediction-ms", "0", "50")
    called = bench(monkeypatch, "imitation", *given)
    assert (called["films"], called["picture"]) == (["head", "wrists"], Path("p.png"))
    assert called["prediction_ms"] == [0.0, 50.0]


def test_json_is_the_last_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bench(monkeypatch, "imitation", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"clips": 1}
