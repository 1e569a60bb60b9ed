# SPDX-License-Identifier: Apache-2.0
"""An episode on a robot: `ros2 launch humanoid_booth replay.launch.py episode:=/path/to/episode.h5 driver:=virtual`."""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from graph.launching import environment_actions, launch_actions
from graph.nodes import DRIVERS, GraphOptions, replay_processes
from launch import LaunchDescription
from robots import load_robot, robot_names


def _start(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    options = GraphOptions(driver=value("driver"), port=value("port"), baud=int(value("baud")))
    robot = load_robot(value("robot"))
    processes = replay_processes(
        robot,
        value("robot"),
        options,
        value("episode"),
        value("report"),
        float(value("speed")),
        value("force").lower() in ("true", "1"),
    )
    return launch_actions(processes)


def generate_launch_description():
    """Driver, virtual robot where asked for, and the replay node; everything ends with the replay."""
    robots = ", ".join(robot_names())
    arguments = [
        DeclareLaunchArgument("episode", description="the .h5 file to replay, absolute path"),
        DeclareLaunchArgument("robot", default_value="hx5_d20_right", description=f"{robots}, or a YAML file"),
        DeclareLaunchArgument("driver", default_value="virtual", choices=list(DRIVERS), description="whose driver"),
        DeclareLaunchArgument("port", default_value="", description="serial port; empty: the robot's own"),
        DeclareLaunchArgument("baud", default_value="0", description="baud rate; 0: the robot's own"),
        DeclareLaunchArgument("speed", default_value="1.0", description="factor on the recorded speed, up to 2"),
        DeclareLaunchArgument("force", default_value="false", description="although robot file or firmware changed"),
        DeclareLaunchArgument("report", default_value="", description="JSON file for the tracking error"),
    ]
    return LaunchDescription([*arguments, *environment_actions(), OpaqueFunction(function=_start)])
