# SPDX-License-Identifier: Apache-2.0
"""The hand model is the known one, or the answer says what to do; a failed build never spoils a good one."""

import errno
import subprocess
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.errors import EXIT_INPUT
from teleop.models import (
    ENV_MODELS,
    HAND_PARTS,
    HAND_TASK,
    ModelError,
    build_hand_model,
    check_bundle,
    hand_model,
    models_directory,
)

GOOD = hand_model()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The model directory of one test."""
    path = tmp_path / "models"
    monkeypatch.setenv(ENV_MODELS, str(path))
    return path


@pytest.fixture(scope="module")
def parts():
    with zipfile.ZipFile(GOOD) as bundle:
        return {part: bundle.read(part.name) for part in HAND_PARTS}


@pytest.fixture
def no_network(monkeypatch):
    """pip that can't reach the index; what it was asked is kept."""
    asked = []

    def run(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: no matching distribution\n")

    monkeypatch.setattr("teleop.models.subprocess.run", run)
    return asked


def bundle(path, contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


# ---- finding it -------------------------------------------------------------------------------------------


def test_the_model_of_this_machine_is_the_known_one():
    check_bundle(GOOD)
    assert GOOD.name == HAND_TASK


def test_a_missing_model_is_answered_with_the_command_that_makes_it(folder):
    with pytest.raises(ModelError, match=f"no hand model at {folder / HAND_TASK}: run `booth models`") as missing:
        hand_model()
    assert missing.value.exit_code == EXIT_INPUT


def test_models_live_where_the_user_says_else_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv(ENV_MODELS, "/elsewhere")
    assert str(models_directory()) == "/elsewhere"
    monkeypatch.delenv(ENV_MODELS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_directory() == tmp_path / "humanoid_booth" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert models_directory() == tmp_path / ".cache" / "humanoid_booth" / "models"


# ---- what is no model -------------------------------------------------------------------------------------


def test_a_bundle_with_another_model_in_it_is_refused_with_both_hashes(folder, parts):
    folder.mkdir()
    foreign = {part.name: data[:-1] + b"\1" for part, data in parts.items()}
    bundle(folder / HAND_TASK, foreign)
    with pytest.raises(ModelError, match=rf"expected SHA-256 {HAND_PARTS[0].sha256[:16]}…, found .*booth models"):
        hand_model()


@pytest.mark.parametrize("missing", [0, 1])
def test_a_bundle_that_lacks_a_part_is_refused(tmp_path, parts, missing):
    some = {part.name: data for k, (part, data) in enumerate(parts.items()) if k != missing}
    with pytest.raises(ModelError, match="not a hand landmarker bundle"):
        check_bundle(bundle(tmp_path / HAND_TASK, some))


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_bundle_is_refused(tmp_path, data):
    path = tmp_path / HAND_TASK
    path.write_bytes(data)
    with pytest.raises(ModelError, match="booth models --force"):
        check_bundle(path)


def test_a_directory_is_no_bundle(tmp_path):
    with pytest.raises(ModelError):
        check_bundle(tmp_path)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_bundle_is_refused(tmp_path, share):
    data = GOOD.read_bytes()
    path = tmp_path / HAND_TASK
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelError):
        check_bundle(path)


from_front = st.integers(0, 60)
from_back = st.integers(-240, -1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.one_of(from_front, from_back), st.integers(0, 255), min_size=1, max_size=3))
def test_damage_to_the_bundles_headers_is_refused_or_harmless(tmp_path, parts, damage):
    path = bundle(tmp_path / HAND_TASK, {part.name: data for part, data in parts.items()})
    with path.open("r+b") as file:
        for place, value in damage.items():
            file.seek(place, 0 if place >= 0 else 2)
            file.write(bytes([value]))
    try:
        check_bundle(path)
    except ModelError:
        return
    with zipfile.ZipFile(path) as archive:
        assert {part: archive.read(part.name) for part in HAND_PARTS} == parts


@pytest.mark.parametrize(
    ("field", "value"),
    [(6, 200), (8, 1), (8, 32), (8, 64), (10, 8), (10, 9), (10, 12), (10, 14), (10, 99)],
    ids=["version", "encrypted", "patch", "strong", "deflate", "deflate64", "bzip2", "lzma", "unknown"],
)
def test_a_bundle_that_asks_for_what_it_is_not_is_refused(tmp_path, parts, field, value):
    """One byte of the first entry in the central directory: zipfile answers each with another kind of exception."""
    path = bundle(tmp_path / HAND_TASK, {part.name: data[:3000] for part, data in parts.items()})
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    data = bytearray(path.read_bytes())
    data[directory + field] = value
    path.write_bytes(data)
    with pytest.raises(ModelError, match="not a hand landmarker bundle"):
        check_bundle(path)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.99])
def test_one_changed_byte_of_a_model_is_found(tmp_path, share):
    data = bytearray(GOOD.read_bytes())
    data[int(share * len(data))] ^= 1
    path = tmp_path / HAND_TASK
    path.write_bytes(data)
    with pytest.raises(ModelError):
        check_bundle(path)


# ---- building it ------------------------------------------------------------------------------------------


def test_it_is_built_from_a_good_bundle(folder):
    said = []
    assert build_hand_model(GOOD, said.append) == folder / HAND_TASK == hand_model()
    assert said == [f"hand model ready: {folder / HAND_TASK}"]
    assert [path.name for path in folder.iterdir()] == [HAND_TASK]


def test_it_is_built_from_a_wheel_and_is_the_same(folder, tmp_path, parts):
    wheel = bundle(tmp_path / "mediapipe.whl", {part.path: data for part, data in parts.items()})
    build_hand_model(wheel)
    from_wheel = hand_model().read_bytes()
    with zipfile.ZipFile(hand_model()) as made:
        assert made.namelist() == [part.name for part in HAND_PARTS]
        assert {item.compress_type for item in made.infolist()} == {zipfile.ZIP_STORED}
    build_hand_model(GOOD)
    assert len(hand_model().read_bytes()) == len(from_wheel)


def test_without_a_network_the_answer_names_the_way_without_one(folder, no_network):
    said = []
    with pytest.raises(ModelError, match=r"no matching distribution\n.*check the network.*booth models --from"):
        build_hand_model(say=said.append)
    assert "mediapipe==0.10.21" in no_network[0]
    assert "fetching" in said[0]
    assert list(folder.iterdir()) == []


def test_a_wheel_that_is_fetched_is_read_and_thrown_away(folder, monkeypatch, parts):
    def run(command, **_):
        target = command[command.index("--dest") + 1]
        bundle(f"{target}/mediapipe-0.10.21-any.whl", {part.path: data for part, data in parts.items()})
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("teleop.models.subprocess.run", run)
    assert build_hand_model() == hand_model()
    assert [path.name for path in folder.iterdir()] == [HAND_TASK]


@pytest.mark.parametrize("failure", ["no network", "no file", "no zip", "no models in it", "other models in it"])
def test_the_old_model_survives_a_failed_build(folder, tmp_path, parts, no_network, failure):
    build_hand_model(GOOD)
    before = hand_model().read_bytes()
    source = None if failure == "no network" else tmp_path / "source.whl"
    if failure == "no zip":
        source.write_bytes(b"no")
    if failure == "no models in it":
        bundle(source, {"readme": b""})
    if failure == "other models in it":
        bundle(source, {part.path: data + b"\0" for part, data in parts.items()})
    with pytest.raises(ModelError):
        build_hand_model(source)
    assert hand_model().read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [HAND_TASK]


def test_the_old_model_survives_a_full_disk(folder, monkeypatch):
    build_hand_model(GOOD)
    before = hand_model().read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", full)
        with pytest.raises(ModelError, match=r"No space left on device.*make room"):
            build_hand_model(GOOD)
    assert hand_model().read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [HAND_TASK]


def test_a_place_that_can_hold_no_models_is_refused_with_another_way(tmp_path, monkeypatch):
    occupied = tmp_path / "file"
    occupied.write_text("")
    monkeypatch.setenv(ENV_MODELS, str(occupied / "models"))
    with pytest.raises(ModelError, match=f"can't hold the model .*{ENV_MODELS}"):
        build_hand_model(GOOD)
