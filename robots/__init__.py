# SPDX-License-Identifier: Apache-2.0
"""What a robot is: one YAML file and one URDF per robot, and their loaders. No code per robot."""

from robots.robot import Bus, Joint, Robot, RobotFileError, load_robot, robot_names

__all__ = ["Bus", "Joint", "Robot", "RobotFileError", "load_robot", "robot_names"]
