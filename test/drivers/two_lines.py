# SPDX-License-Identifier: Apache-2.0
"""A small robot with two lines and a servo of every large family."""

from robots.robot import parse_robot

TWO_LINES = """
name: pair
title: two lines
sources: [a test]
buses:
  - {name: left, port: /dev/null, baud: 1000000}
  - {name: right, port: /dev/null, baud: 4000000}
commands:
  - {topic: /goal, joints: ["*"]}
motion: {velocity_rad_s: 1, acceleration_rad_s2: 1, jerk_rad_s3: 1, engage_distance_rad: 1}
joints:
  - {name: a, id: 1, model: xm430_w350, min_rad: -1, max_rad: 1, bus: left, branch: arm}
  - {name: b, id: 2, model: ym080_230_r099, min_rad: -1, max_rad: 1, bus: right, branch: arm}
  - {name: c, id: 3, model: ph42_020_s300, min_rad: -1, max_rad: 1, bus: right}
"""

PAIR = parse_robot(TWO_LINES, "pair")
