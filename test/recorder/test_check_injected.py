# SPDX-License-Identifier: Apache-2.0
"""Each fault that is injected into a take is named by the verdict; the take without it is ok."""

import pytest
from spoiled_takes import garbage, levels, picture, shifted, spoiled_report

from graph.topics import CAMERA, HANDS, JOINT_STATES
from recorder.check import Verdict

FILMED = 120.0
"""Mean grey of a picture in which something can be seen."""


def named(report):
    return {finding.code for finding in report.reasons}


def test_a_take_in_which_nothing_goes_wrong_is_ok(tmp_path):
    report = spoiled_report(tmp_path, lambda topic, at, data: picture(at, FILMED) if topic == CAMERA.name else data)
    assert (report.verdict, report.reasons) == (Verdict.OK, ())


def test_a_frozen_camera(tmp_path):
    def spoil(topic, at, data):
        return shifted(picture(3.0, FILMED), (at - 3.0) * 1e3) if topic == CAMERA.name and at > 3.0 else data

    report = spoiled_report(tmp_path, spoil)
    assert report.verdict is Verdict.FAILED
    assert {"frozen", "duplicated"} <= named(report)


def test_a_camera_that_stops_delivering(tmp_path):
    report = spoiled_report(tmp_path, lambda topic, at, data: None if topic == CAMERA.name and at > 4 else data)
    assert levels(report)["stalled"] == "fail"


@pytest.mark.parametrize(("topic", "seconds", "level"), [(JOINT_STATES.name, 0.4, "warn"), (HANDS.name, 1.2, "fail")])
def test_a_stalled_topic(tmp_path, topic, seconds, level):
    report = spoiled_report(tmp_path, lambda name, at, data: None if name == topic and 0 <= at - 4 < seconds else data)
    assert levels(report)["stalled"] == level
    assert any(topic.rpartition("/")[2] in finding.text for finding in report.reasons if finding.code == "stalled")


@pytest.mark.parametrize(
    ("topic", "by_ms", "codes"),
    [
        (CAMERA.name, -40, {"late", "pairs"}),
        (HANDS.name, -40, {"late", "pairs"}),
        (CAMERA.name, 40, {"ahead", "pairs"}),
        (JOINT_STATES.name, -40, {"delay"}),
        (JOINT_STATES.name, 40, {"ahead"}),
    ],
)
def test_a_skew_of_40_ms(tmp_path, topic, by_ms, codes):
    report = spoiled_report(tmp_path, lambda name, at, data: shifted(data, by_ms) if name == topic else data)
    assert codes <= named(report)


@pytest.mark.parametrize(("by_ms", "code"), [(-40, "clock_shift"), (-60, "clock_shift"), (50, "ahead")])
def test_a_clock_that_is_shifted_during_the_take(tmp_path, by_ms, code):
    def spoil(topic, at, data):
        return shifted(data, by_ms) if topic == JOINT_STATES.name and at > 4 else data

    assert code in named(spoiled_report(tmp_path, spoil))


def test_black_frames(tmp_path):
    def spoil(topic, at, data):
        return picture(at, 2.0 if 4 < at < 4.3 else FILMED) if topic == CAMERA.name else data

    report = spoiled_report(tmp_path, spoil)
    assert named(report) == {"black"}
    assert report.verdict is Verdict.FAILED


@pytest.mark.parametrize("mean", [15.0, 255.0])
def test_too_little_and_too_much_light(tmp_path, mean):
    report = spoiled_report(tmp_path, lambda topic, at, data: picture(at, mean) if topic == CAMERA.name else data)
    assert levels(report)["light"] == "warn"


def test_pictures_that_cannot_be_decoded(tmp_path):
    def spoil(topic, at, data):
        return (picture(at, FILMED) if at < 5 else garbage(at)) if topic == CAMERA.name else data

    assert levels(spoiled_report(tmp_path, spoil))["undecodable"] == "fail"
