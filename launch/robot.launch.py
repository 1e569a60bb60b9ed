# SPDX-License-Identifier: Apache-2.0
"""Only the robot's side: `ros2 launch humanoid_booth robot.launch.py robot:=op3 driver:=dynamixel`."""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from graph.launching import environment_actions, launch_actions
from graph.nodes import GraphOptions, driver_processes
from launch import LaunchDescription
from robots import load_robot, robot_names


def _start(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    options = GraphOptions(driver=value("driver"), port=value("port"), baud=int(value("baud")))
    return launch_actions(driver_processes(load_robot(value("robot")), value("robot"), options))


def generate_launch_description():
    """Driver, and a virtual robot where asked for."""
    robots = ", ".join(robot_names())
    arguments = [
        DeclareLaunchArgument("robot", default_value="hx5_d20_right", description=f"{robots}, or a YAML file"),
        DeclareLaunchArgument(
            "driver", default_value="virtual", choices=["virtual", "dynamixel"], description="servos or a virtual robot"
        ),
        DeclareLaunchArgument("port", default_value="", description="serial port; empty: the robot's own"),
        DeclareLaunchArgument("baud", default_value="0", description="baud rate; 0: the robot's own"),
    ]
    return LaunchDescription([*arguments, *environment_actions(), OpaqueFunction(function=_start)])
