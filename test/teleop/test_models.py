# SPDX-License-Identifier: Apache-2.0
"""The models are the known ones, or the answer says what to do; a failed build never spoils a good one."""

import errno
import hashlib
import shutil
import struct
import subprocess
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
from mediapipe.tasks.metadata import schema_py_generated as tflite

from graph.errors import EXIT_INPUT
from teleop.models import (
    BUNDLES,
    ENV_MODELS,
    HAND,
    POSE,
    ModelError,
    build_models,
    check_bundle,
    hand_model,
    models_directory,
    pose_model,
)
from teleop.tracker_metadata import BUFFERS, METADATA, NAME, with_normalization

GOOD = {HAND: hand_model(), POSE: pose_model()}
EACH = pytest.mark.parametrize("kind", BUNDLES, ids=lambda bundle: bundle.what)
FIND = {HAND: hand_model, POSE: pose_model}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The model directory of one test."""
    path = tmp_path / "models"
    monkeypatch.setenv(ENV_MODELS, str(path))
    return path


@pytest.fixture(scope="module")
def parts():
    """Contents of every part of the good bundles."""
    contents = {}
    for kind, path in GOOD.items():
        with zipfile.ZipFile(path) as archive:
            contents |= {part: archive.read(part.name) for part in kind.parts}
    return contents


@pytest.fixture(scope="module")
def wheel(parts, tmp_path_factory):
    """A wheel with all models; metadata is added to finished files too, so these may stand in for the wheel's."""
    path = tmp_path_factory.mktemp("wheel") / "mediapipe.whl"
    return bundle(path, {part.path: data for part, data in parts.items()})


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


@EACH
def test_the_model_of_this_machine_is_the_known_one(kind):
    check_bundle(GOOD[kind], kind)
    assert GOOD[kind].name == kind.file


@EACH
def test_a_missing_model_is_answered_with_the_command_that_makes_it(folder, kind):
    with pytest.raises(ModelError, match=f"no {kind.what} model at {folder / kind.file}: run `booth mod") as missing:
        FIND[kind]()
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


@EACH
def test_a_bundle_with_another_model_in_it_is_refused_with_both_hashes(folder, parts, kind):
    folder.mkdir()
    bundle(folder / kind.file, {part.name: parts[part][:-1] + b"\1" for part in kind.parts})
    with pytest.raises(ModelError, match=rf"expected SHA-256 {kind.parts[0].sha256[:16]}…, found .*booth models"):
        FIND[kind]()


@EACH
@pytest.mark.parametrize("missing", [0, 1])
def test_a_bundle_that_lacks_a_part_is_refused(tmp_path, parts, kind, missing):
    some = {part.name: parts[part] for k, part in enumerate(kind.parts) if k != missing}
    with pytest.raises(ModelError, match=f"not a {kind.what} landmarker bundle"):
        check_bundle(bundle(tmp_path / kind.file, some), kind)


@EACH
def test_one_kind_of_bundle_is_not_the_other(kind):
    other = HAND if kind is POSE else POSE
    with pytest.raises(ModelError, match=f"not a {other.what} landmarker bundle"):
        check_bundle(GOOD[kind], other)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_bundle_is_refused(tmp_path, data):
    path = tmp_path / HAND.file
    path.write_bytes(data)
    with pytest.raises(ModelError, match="booth models --force"):
        check_bundle(path, HAND)


def test_a_directory_is_no_bundle(tmp_path):
    with pytest.raises(ModelError):
        check_bundle(tmp_path, HAND)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_bundle_is_refused(tmp_path, share):
    data = GOOD[HAND].read_bytes()
    path = tmp_path / HAND.file
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelError):
        check_bundle(path, HAND)


from_front = st.integers(0, 60)
from_back = st.integers(-240, -1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.one_of(from_front, from_back), st.integers(0, 255), min_size=1, max_size=3))
def test_damage_to_the_bundles_headers_is_refused_or_harmless(tmp_path, parts, damage):
    path = bundle(tmp_path / HAND.file, {part.name: parts[part] for part in HAND.parts})
    with path.open("r+b") as file:
        for place, value in damage.items():
            file.seek(place, 0 if place >= 0 else 2)
            file.write(bytes([value]))
    try:
        check_bundle(path, HAND)
    except ModelError:
        return
    with zipfile.ZipFile(path) as archive:
        assert all(archive.read(part.name) == parts[part] for part in HAND.parts)


@pytest.mark.parametrize(
    ("field", "value"),
    [(6, 200), (8, 1), (8, 32), (8, 64), (10, 8), (10, 9), (10, 12), (10, 14), (10, 99)],
    ids=["version", "encrypted", "patch", "strong", "deflate", "deflate64", "bzip2", "lzma", "unknown"],
)
def test_a_bundle_that_asks_for_what_it_is_not_is_refused(tmp_path, parts, field, value):
    """One byte of the first entry in the central directory: zipfile answers each with another kind of exception."""
    path = bundle(tmp_path / HAND.file, {part.name: parts[part][:3000] for part in HAND.parts})
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    data = bytearray(path.read_bytes())
    data[directory + field] = value
    path.write_bytes(data)
    with pytest.raises(ModelError, match="not a hand landmarker bundle"):
        check_bundle(path, HAND)


@EACH
@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.99])
def test_one_changed_byte_of_a_model_is_found(tmp_path, kind, share):
    data = bytearray(GOOD[kind].read_bytes())
    data[int(share * len(data))] ^= 1
    path = tmp_path / kind.file
    path.write_bytes(data)
    with pytest.raises(ModelError):
        check_bundle(path, kind)


# ---- building them ----------------------------------------------------------------------------------------


@EACH
def test_one_is_built_from_a_good_bundle_of_its_kind(folder, kind):
    said = []
    assert build_models(GOOD[kind], said.append) == (folder / kind.file,) == (FIND[kind](),)
    assert said == [f"{kind.what} model ready: {folder / kind.file}"]
    assert [path.name for path in folder.iterdir()] == [kind.file]


def test_all_are_built_from_a_wheel_and_are_the_same(folder, wheel):
    assert build_models(wheel) == (folder / HAND.file, folder / POSE.file)
    for kind in BUNDLES:
        from_wheel = FIND[kind]().read_bytes()
        with zipfile.ZipFile(FIND[kind]()) as made:
            assert made.namelist() == [part.name for part in kind.parts]
            assert {item.compress_type for item in made.infolist()} == {zipfile.ZIP_STORED}
        build_models(GOOD[kind])
        assert len(FIND[kind]().read_bytes()) == len(from_wheel)


def test_without_a_network_the_answer_names_the_way_without_one(folder, no_network):
    said = []
    with pytest.raises(ModelError, match=r"no matching distribution\n.*check the network.*booth models --from"):
        build_models(say=said.append)
    assert "mediapipe==0.10.21" in no_network[0]
    assert "fetching" in said[0]
    assert list(folder.iterdir()) == []


def test_a_wheel_that_is_fetched_is_read_and_thrown_away(folder, monkeypatch, wheel):
    def run(command, **_):
        target = command[command.index("--dest") + 1]
        shutil.copy(wheel, f"{target}/mediapipe-0.10.21-any.whl")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("teleop.models.subprocess.run", run)
    assert build_models() == (hand_model(), pose_model())
    assert sorted(path.name for path in folder.iterdir()) == [HAND.file, POSE.file]


@pytest.mark.parametrize(
    "failure", ["no network", "no file", "no zip", "no models in it", "half a model in it", "another model in it"]
)
def test_the_old_models_survive_a_failed_build(folder, tmp_path, parts, wheel, no_network, failure):
    build_models(wheel)
    before = [path.read_bytes() for path in (hand_model(), pose_model())]
    source = None if failure == "no network" else tmp_path / "source.whl"
    if failure == "no zip":
        source.write_bytes(b"no")
    if failure == "no models in it":
        bundle(source, {"readme": b""})
    if failure == "half a model in it":
        bundle(source, {HAND.parts[0].path: parts[HAND.parts[0]]})
    if failure == "another model in it":
        contents = {part.path: data for part, data in parts.items()}
        bundle(source, contents | {POSE.parts[1].path: parts[POSE.parts[1]] + b"\0"})
    with pytest.raises(ModelError):
        build_models(source)
    assert [path.read_bytes() for path in (hand_model(), pose_model())] == before
    assert sorted(path.name for path in folder.iterdir()) == [HAND.file, POSE.file]


def test_the_old_model_survives_a_full_disk(folder, monkeypatch):
    build_models(GOOD[HAND])
    before = hand_model().read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", full)
        with pytest.raises(ModelError, match=r"No space left on device.*make room"):
            build_models(GOOD[HAND])
    assert hand_model().read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [HAND.file]


def test_a_place_that_can_hold_no_models_is_refused_with_another_way(tmp_path, monkeypatch):
    occupied = tmp_path / "file"
    occupied.write_text("")
    monkeypatch.setenv(ENV_MODELS, str(occupied / "models"))
    with pytest.raises(ModelError, match=f"can't hold the models .*{ENV_MODELS}"):
        build_models(GOOD[HAND])


# ---- metadata ---------------------------------------------------------------------------------------------

NORMALIZED = POSE.parts[1]
WHEEL_BYTES, WHEEL_METADATA, WHEEL_BUFFER = 6_440_512, 4, 4
"""Size of this part in the wheel, and what the two offsets are there that metadata turns elsewhere."""


def test_metadata_says_how_pixels_are_normalized(parts):
    root = tflite.Model.GetRootAs(parts[NORMALIZED], 0)
    entries = {root.Metadata(k).Name(): root.Metadata(k).Buffer() for k in range(root.MetadataLength())}
    content = root.Buffers(entries[NAME]).DataAsNumpy().tobytes()
    image = metadata.ModelMetadata.GetRootAs(content, 0).SubgraphMetadata(0).InputTensorMetadata(0)
    (unit,) = metadata.TensorMetadataT.InitFromObj(image).processUnits
    assert (list(unit.options.mean), list(unit.options.std)) == ([0.0], [255.0])


def test_metadata_leaves_every_weight_where_it_was(parts):
    """What the wheel's file holds is the start of the finished one, but for two offsets of four bytes."""
    finished = parts[NORMALIZED]
    plain = without_metadata(finished)
    assert hashlib.sha256(plain).hexdigest() == NORMALIZED.wheel_sha256
    differing = [k for k, (a, b) in enumerate(zip(plain, finished, strict=False)) if a != b]
    assert 0 < len(differing) <= 8
    assert with_normalization(plain, 0.0, 255.0) == finished


def test_a_wheels_file_gets_its_metadata(folder, tmp_path, parts):
    contents = {part.path: data for part, data in parts.items() if part in POSE.parts}
    contents[NORMALIZED.path] = without_metadata(parts[NORMALIZED])
    assert build_models(bundle(tmp_path / "mediapipe.whl", contents)) == (pose_model(),)


def test_metadata_is_aligned_as_tflite_wants_it(parts):
    root = tflite.Model.GetRootAs(parts[NORMALIZED], 0)
    for k in range(root.BuffersLength()):
        buffer = root.Buffers(k)
        if buffer.DataLength():
            assert buffer._tab.Vector(buffer._tab.Offset(4)) % 16 == 0


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0\0\0\0TFL", bytes(64)])
def test_what_is_no_model_gets_no_metadata(data):
    with pytest.raises(ValueError, match="not a TFLite model"):
        with_normalization(data, 0.0, 255.0)


def test_metadata_is_given_once(parts):
    with pytest.raises(ValueError, match="already"):
        with_normalization(parts[NORMALIZED], 0.0, 255.0)


def without_metadata(finished):
    """The file as the wheel has it: the two turned offsets turned back to what the wheel's file says."""
    plain = bytearray(finished[:WHEEL_BYTES])
    root = tflite.Model.GetRootAs(finished, 0)
    metadata_list = root._tab.Pos + root._tab.Offset(METADATA)
    entries = [root.Metadata(k).Name() for k in range(root.MetadataLength())]
    buffer = root._tab.Vector(root._tab.Offset(BUFFERS)) + 4 * root.Metadata(entries.index(NAME)).Buffer()
    for place, value in ((metadata_list, WHEEL_METADATA), (buffer, WHEEL_BUFFER)):
        struct.pack_into("<I", plain, place, value)
    return bytes(plain)
