# SPDX-License-Identifier: Apache-2.0
"""`booth library`: what each command answers, what it leaves alone, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counted import counted
from library_episodes import add_episode, identity
from takes import make_take

from booth.cli import build_parser, main
from booth.library_plot import plot_shifts
from recorder.library_errors import LibraryError
from recorder.library_stats import Shift

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six episodes of two operators in three sessions."""
    for number in range(6):
        operator = "ada" if number < 4 else "bob"
        after_s = number * 60.0 + (7200.0 if number in (2, 3) else 0.0)
        add_episode(tmp_path / "lib", number, after_s, task=("wave", "pour")[number % 2], operator=operator)
    return tmp_path / "lib"


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the library with --json and return what it printed; ``code`` is what it should end with."""

    def command(*words: object, code: int = 0, as_json: bool = True) -> Any:
        arguments = ["library", *map(str, words), "--folder", str(folder), *(["--json"] if as_json else [])]
        assert main(arguments) == code, capsys.readouterr().err
        printed = capsys.readouterr()
        return json.loads(printed.out.splitlines()[-1]) if as_json else printed.out

    assert command("index")["episodes"] == 6
    return command


def test_index_says_what_it_found_and_what_is_bad(run: Run, folder: Path) -> None:
    (folder / "bad.h5").write_text("x")
    said = run("index")
    assert (said["episodes"], said["sessions"], said["read"], said["bad"]) == (6, 3, 1, 1)
    assert said["bad_files"][0]["path"] == "bad.h5"
    assert "bad.h5: bad.h5 can't be read" in run("index", "--bad", as_json=False)


def test_a_folder_without_an_index_is_not_walked_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").mkdir()
    assert main(["library", "query", "-C", str(tmp_path / "home")]) == 2
    assert "booth library index --folder" in capsys.readouterr().err
    assert not list((tmp_path / "home").iterdir())


def test_the_folder_may_stand_in_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOOTH_LIBRARY", str(folder))
    assert main(["library", "index", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 6


def test_query_filters_orders_and_prints(run: Run) -> None:
    found = run("query", "--operator", "ada", "--task", "w*", "--order", "created_s", "--reverse")
    assert [item["path"] for item in found["episodes"]] == ["e0002.h5", "e0000.h5"]
    assert found["episodes"][0]["tags"] == [] and "mtime_ns" not in found["episodes"][0]
    text = run("query", "--where", "task = 'pour'", as_json=False)
    assert text.splitlines()[0].split()[:2] == ["episode", "created"] and text.endswith("3 episodes, 0.0 min\n")
    assert run("query", "--paths", "--limit", 1, as_json=False).endswith("lib/e0000.h5\n")
    run("query", "--where", "DROP TABLE files", code=2, as_json=False)
    assert run("query")["count"] == 6


def test_query_sees_new_files_and_believes_the_index_when_told(run: Run, folder: Path) -> None:
    add_episode(folder, 6)
    assert run("query", "--no-refresh")["count"] == 6
    assert run("query")["count"] == 7


def test_show_tells_everything(run: Run, folder: Path) -> None:
    made = run("trim", "e0001", "--rows", "3:15")["made"][0]
    shown = run("show", identity(1))
    assert (shown["path"], shown["cuts"]) == ("e0001.h5", [Path(made["path"]).name])
    assert len(shown["content_sha256"]) == 64
    assert "task             pour" in run("show", "e0001.h5", as_json=False)
    run("show", "e9999", code=2, as_json=False)


def test_tags_labels_notes_and_success_are_said_shown_and_taken_back(run: Run) -> None:
    run("tag", "e0000", "e0001", "--add", "good", "--add", "kitchen")
    run("tag", "e0001", "--remove", "kitchen")
    run("label", "--operator", "bob", "--set", "place=lab")
    run("note", "e0000", "--text", "see the end")
    run("success", "--task", "wave", "--answer", "no")
    assert [item["path"] for item in run("query", "--tag", "kitchen")["episodes"]] == ["e0000.h5"]
    assert run("query", "--success", "no")["count"] == 3
    shown = run("show", "e0004")
    assert (shown["labels"], shown["success"]) == ({"place": "lab"}, 0)
    assert run("show", "e0000")["notes"] == "see the end"
    run("success", "e0004", "--undo")
    assert (run("show", "e0004")["success"], run("show", "e0004")["labels"]) == (None, {"place": "lab"})
    run("label", "e0004", "--set", "place=")
    assert run("show", "e0004")["labels"] == {}


def test_a_dry_run_says_and_changes_nothing(run: Run, folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    assert run("tag", "--all", "--add", "x", "--dry-run")["episodes"]["e0000.h5"]["tags"] == ["x"]
    assert run("trim", "e0000", "--rows", "2:9", "--dry-run")["rows"] == [[2, 9]]
    assert run("split", "e0000", "--rows", "5", "9", "--dry-run")["rows"] == [[0, 5], [5, 9], [9, 18]]
    assert run("delete", "--all")["applied"] is False
    assert {path.name for path in folder.iterdir()} == before
    assert run("query", "--tag", "x")["count"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tag", "e0000"], "nothing to say"),
        (["tag", "--add", "x"], "which episodes"),
        (["tag", "e0000", "--add", " "], "a tag is a word"),
        (["label", "e0000", "--set", "place"], "name=text"),
        (["tag", "e0000", "--operator", "ada", "--add", "x"], "not both"),
        (["delete"], "which episodes"),
        (["delete", "--operator", "nobody", "--apply"], "no episode"),
        (["trim", "e0000"], "which rows stay"),
        (["trim", "e0000", "--rows", "a:b"], "FIRST:BEHIND"),
        (["trim", "e0000", "--rows", "0:99"], "0:18"),
        (["split", "e0000"], "no event of e0000.h5 fits"),
        (["merge", "e0000", "e0001"], "no parts of one demonstration"),
        (["success", "e0000", "--undo"], "nothing to take back"),
        (["restore", "e0000"], "not in the trash"),
        (["query", "--since", "yesterday"], "expected a date"),
        (["query", "--order", "colour"], "can't order by"),
        (["train-val", "--val", "2"], "between 0 and 1"),
        (["stats", "--plot", "x.jpg"], "ends in .png"),
    ],
)
def test_wrong_input_is_one_clear_message(
    run: Run, folder: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["library", *words, "--folder", str(folder)]) == 2
    assert says in capsys.readouterr().err


def test_delete_moves_to_the_trash_and_restore_brings_back(run: Run, folder: Path) -> None:
    before = (folder / "e0002.h5").read_bytes()
    said = run("delete", "e0002", "--apply", "--reason", "blurred")
    assert said == {"applied": True, "deleted": {"e0002.h5": ["e0002.h5"]}}
    assert run("query")["count"] == 5
    assert [(item["name"], item["reason"]) for item in run("restore", "--list")["trash"]] == [("e0002", "blurred")]
    run("restore", "e0002")
    assert run("query")["count"] == 6 and (folder / "e0002.h5").read_bytes() == before
    assert run("restore")["trash"] == []


def test_trim_split_and_merge_make_episodes_and_may_set_the_source_aside(run: Run, folder: Path) -> None:
    (made,) = run("trim", "e0000", "--from", "0.1", "--to", "0.5")["made"]
    assert (made["rows"], (folder / "e0000.h5").exists()) == (12, True)
    assert run("trim", "e0003", "--engaged")["made"][0]["rows"] < 18
    parts = run("split", "e0001", "--seconds", "0.3", "--trash-source")["made"]
    assert [part["rows"] for part in parts] == [9, 9] and not (folder / "e0001.h5").exists()
    assert "split into" in run("restore", "--list")["trash"][0]["reason"]
    whole = run("merge", *(part["path"] for part in parts), "--trash-source")["made"][0]
    assert whole["rows"] == 18 and run("query", "--where", "derived_from != '[]'")["count"] == 3
    assert run("split", "e0002", "--marks", "*engaged*")["made"][0]["rows"] > 1


def test_duplicates_are_found_under_any_name(run: Run, folder: Path) -> None:
    assert run("duplicates")["superfluous"] == 0
    for number in (10, 11):
        add_episode(folder / "copies", number, 9000.0 + number, same_data=True, task="renamed")
    (folder / "copies" / "again.h5").write_bytes((folder / "e0003.h5").read_bytes())
    found = run("duplicates")
    assert found["superfluous"] == 2
    assert sorted(sorted(group["paths"]) for group in found["groups"]) == [
        ["copies/again.h5", "e0003.h5"],
        ["copies/e0010.h5", "copies/e0011.h5"],
    ]
    assert "2 superfluous copies of 2 episodes" in run("duplicates", as_json=False)


def test_train_val_writes_lists_that_never_share_a_session(run: Run, tmp_path: Path) -> None:
    run("success", "e0005", "--answer", "no")
    out = tmp_path / "split.json"
    said = run("train-val", "--val", "0.3", "--seed", "4", "--out", out)
    written = json.loads(out.read_text())
    assert {**written, "file": str(out)} == said
    sides = [{item["session"] for item in written[part]} for part in ("train", "val")]
    assert not sides[0] & sides[1] and all(sides)
    assert {item["path"] for part in ("train", "val") for item in written[part]} == {f"e000{n}.h5" for n in range(5)}
    run("train-val", "--out", out, code=2, as_json=False)
    assert json.loads(out.read_text()) == written
    assert run("train-val", "--bad-too")["groups"] == 3


def test_stats_count_and_draw_shifts(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "trash").mkdir()
    make_take(folder / "trash" / "thrown.mcap")
    said = run("stats", "--by", "operator", "--plot", tmp_path / "s.png")
    assert [(shift["name"], shift["takes"]) for shift in said["shifts"]] == [("ada", 5), ("bob", 2), ("all", 7)]
    assert said["shifts"][0]["discarded"] == 1
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert run("stats", "--operator", "bob")["shifts"][-1]["discarded"] == 0
    assert "good per hour" in run("stats", "--by", "day", as_json=False)
    assert run("stats", "--since", "2028-01-01")["shifts"][-1]["takes"] == 0


def test_a_picture_needs_no_shift_at_all(tmp_path: Path) -> None:
    plot_shifts([Shift("all", 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)], "day", tmp_path / "a.png")
    with pytest.raises(LibraryError, match="can't write"):
        plot_shifts([Shift("all", 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)], "day", tmp_path / "no" / "a.png")


def test_copy_verify_and_delete_the_source(run: Run, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    nas = tmp_path / "nas"
    assert run("copy", nas, "--operator", "ada", "--dry-run")["episodes"] == 4 and not nas.exists()
    said = run("copy", nas, "--operator", "ada")
    assert (said["episodes"], said["files_sent"], said["failed"]) == (4, 4, {})
    assert run("copy", nas)["files_sent"] == 2
    assert run("verify", "--copies")["ok"] == 6
    (nas / "e0005.h5").write_bytes(b"rot")
    said = run("copy", nas, "--delete-source", code=1)
    assert list(said["failed"]) == ["e0005.h5"] and said["deleted"] == 5
    assert [path.name for path in folder.glob("*.h5")] == ["e0005.h5"]
    assert run("verify", "--copies", code=1)["damaged"] == 1
    run("copy", folder / "inside", code=2, as_json=False)
    run("restore", "e0000", "e0001")
    assert run("query")["count"] == 3


def test_verify_ends_with_1_for_files_that_are_no_episodes(run: Run, folder: Path) -> None:
    assert run("verify")["ok"] == 6
    (folder / "e0000.h5").write_bytes((folder / "e0000.h5").read_bytes()[:5000])
    said = run("verify", code=1)
    assert (said["ok"], said["bad_files"][0]["path"]) == (5, "e0000.h5")


def test_an_index_may_lie_elsewhere(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "index", "-C", str(folder), "--index", str(tmp_path / "i.sqlite"), "--json"]) == 0
    assert not list(folder.glob(".booth*")) and json.loads(capsys.readouterr().out)["episodes"] == 6


def test_hundreds_of_episodes_are_indexed_queried_and_divided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = counted(300, 3000)
    for number in range(count):
        add_episode(tmp_path, number, number * 120.0 + number // 10 * 3600.0, task=f"task {number % 3}")
    place = ["--folder", str(tmp_path), "--json"]

    def answer(*words: str) -> Any:
        assert main(["library", *words, *place]) == 0
        return json.loads(capsys.readouterr().out)

    said = answer("index")
    assert (said["episodes"], said["sessions"], said["bad"]) == (count, count // 10, 0)
    assert answer("query", "--task", "task 1")["count"] == count // 3
    said = answer("train-val", "--val", "0.2", "--seed", "1")
    assert len(said["val"]) == pytest.approx(count / 5, abs=10)
    assert not {item["session"] for item in said["val"]} & {item["session"] for item in said["train"]}


def test_every_action_has_help() -> None:
    actions = (
        "index query show duplicates stats verify train-val label tag note success delete restore trim split merge"
    )
    for action in (*actions.split(), "copy"):
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args(["library", action, "--help"])
        assert ended.value.code == 0
