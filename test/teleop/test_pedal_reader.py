# SPDX-License-Identifier: Apache-2.0
"""A pedal is found by its stable name, read, lost and found again."""

import errno
import fcntl
from pathlib import Path

import pytest
from fake_pedal import NAME, FakePedal

from teleop import pedal_device
from teleop.pedal import TAP
from teleop.pedal_device import KEY_BYTES, PedalDevice, PedalError, candidates, find_pedal
from teleop.pedal_reader import LET_GO, RETRY_NS, PedalReader

KEYBOARD = "usb-Logitech_USB_Keyboard-event-kbd"


def test_auto_finds_the_foot_switch_among_other_devices(tmp_path: Path) -> None:
    for name in (KEYBOARD, "usb-Logitech_USB_Keyboard-if01-event-mouse", "usb-PCsensor_FootSwitch-event-mouse", NAME):
        (tmp_path / name).touch()
    assert find_pedal("auto", tmp_path).name == NAME


@pytest.mark.parametrize(
    "name",
    [
        "usb-RDing_FootSwitch1F1.-event-mouse",
        "usb-VEC_VEC_USB_Footpedal-event-if00",
        "usb-Kinesis_Savant_Elite2-event-kbd",
        "usb-1a86_e026_PCsensor-event-kbd",
    ],
)
def test_names_of_pedals_that_are_sold_look_like_pedals(tmp_path: Path, name: str) -> None:
    (tmp_path / KEYBOARD).touch()
    (tmp_path / name).touch()
    assert find_pedal("auto", tmp_path).name == name


def test_without_a_pedal_auto_lists_what_there_is(tmp_path: Path) -> None:
    (tmp_path / KEYBOARD).touch()
    with pytest.raises(PedalError, match=f"no foot pedal found: .*{KEYBOARD}.* --pedal-device PATH"):
        find_pedal("auto", tmp_path)
    assert [path.name for path in candidates(tmp_path)] == [KEYBOARD]


def test_two_pedals_are_named_and_none_is_taken(tmp_path: Path) -> None:
    other = "usb-VEC_VEC_USB_Footpedal-event-if00"
    (tmp_path / NAME).touch()
    (tmp_path / other).touch()
    with pytest.raises(PedalError, match="several foot pedals") as said:
        find_pedal("auto", tmp_path)
    assert NAME in str(said.value) and other in str(said.value)


def test_a_path_that_is_not_there_is_answered_with_what_is(tmp_path: Path) -> None:
    (tmp_path / KEYBOARD).touch()
    with pytest.raises(PedalError, match=f"no pedal at .*{KEYBOARD}"):
        find_pedal(str(tmp_path / "gone"), tmp_path)


def test_a_plain_file_is_no_pedal(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    with pytest.raises(PedalError, match="is no input device"):
        PedalDevice(tmp_path / NAME)


@pytest.mark.parametrize(
    ("code", "words"), [(errno.EBUSY, "another program has the pedal"), (errno.EACCES, "99-booth-pedal.rules")]
)
def test_why_a_pedal_can_not_be_taken_is_said(tmp_path: Path, monkeypatch, code: int, words: str) -> None:
    pedal = FakePedal(tmp_path)

    def refuse(*_: object) -> int:
        raise OSError(code, "no")

    monkeypatch.setattr(pedal_device.fcntl, "ioctl", refuse)
    with pytest.raises(PedalError, match=words):
        PedalDevice(pedal.path)


def test_a_device_is_grabbed_and_asked_which_keys_are_down(tmp_path: Path, monkeypatch) -> None:
    pedal, asked = FakePedal(tmp_path), []

    def answer(_fd: int, request: int, argument: object) -> int:
        asked.append(request)
        if isinstance(argument, bytearray):
            argument[3] = 0b0100_0000
        return 0

    monkeypatch.setattr(fcntl, "ioctl", answer)
    device = PedalDevice(pedal.path)
    assert device.held() == {30}
    assert asked == [0x40044590, 0x80000000 | KEY_BYTES << 16 | 0x4518]
    device.close()
    device.close()


def test_a_tap_goes_all_the_way(tmp_path: Path) -> None:
    fake, reader = FakePedal(tmp_path), PedalReader("auto", tmp_path)
    reader.poll(0)
    assert reader.path == fake.path and reader.reason == ""
    fake.press()
    reader.poll(1)
    assert reader.pedal.pressed
    fake.let_go()
    reader.poll(2)
    assert not reader.pedal.pressed and reader.pedal.take_events() == [TAP]
    reader.close()


def test_unplugged_it_is_up_says_so_and_is_found_again(tmp_path: Path) -> None:
    fake, reader = FakePedal(tmp_path), PedalReader("auto", tmp_path)
    reader.poll(0)
    fake.press()
    reader.poll(1)
    fake.unplug()
    reader.poll(2)
    assert not reader.pedal.pressed and reader.path is None
    assert "was unplugged" in reader.problem and "plug it in again" in reader.problem
    fake.plug_in()
    reader.poll(3)
    assert reader.problem, "not looked for at every poll"
    reader.poll(2 + RETRY_NS)
    assert reader.problem == "" and not reader.pedal.pressed
    fake.press()
    reader.poll(3 + RETRY_NS)
    assert reader.pedal.pressed
    reader.close()


def test_a_pedal_that_is_down_when_it_comes_says_that_it_must_be_let_go(tmp_path: Path, monkeypatch) -> None:
    fake, reader = FakePedal(tmp_path), PedalReader("auto", tmp_path)
    monkeypatch.setattr(PedalDevice, "held", lambda _: {30})
    reader.poll(0)
    assert reader.reason == LET_GO and not reader.pedal.pressed
    fake.let_go()
    fake.press()
    reader.poll(1)
    assert reader.reason == "" and reader.pedal.pressed
    reader.close()


def test_where_nothing_is_plugged_in_it_waits_and_says_what_there_is(tmp_path: Path) -> None:
    (tmp_path / KEYBOARD).touch()
    reader = PedalReader("auto", tmp_path)
    reader.poll(0)
    assert KEYBOARD in reader.problem
    FakePedal(tmp_path)
    reader.poll(RETRY_NS)
    assert reader.problem == ""
    reader.close()
