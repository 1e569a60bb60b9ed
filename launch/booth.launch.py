# SPDX-License-Identifier: Apache-2.0
"""A whole booth: `ros2 launch humanoid_booth booth.launch.py robot:=hx5_d20_right source:=0 driver:=virtual`."""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from graph.launching import environment_actions, launch_actions
from graph.nodes import DRIVERS, PEDAL_ROLES, RECORD_MODES, GraphOptions, booth_processes
from launch import LaunchDescription
from robots import load_robot, robot_names

DEFAULTS = GraphOptions(source="0")


def _start(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    options = GraphOptions(
        source=value("source"),
        driver=value("driver"),
        record=value("record"),
        port=value("port"),
        baud=int(value("baud")),
        directory=value("directory"),
        task=value("task"),
        operator=value("operator"),
        rate_hz=float(value("rate_hz")),
        loop=value("loop") == "true",
        mirrored=value("mirrored") == "true",
        booth=value("booth"),
        params=value("params"),
        cameras=tuple(value("cameras").split()),
        topics=tuple(value("topics").split()),
        preroll_s=float(value("preroll_s")),
        parts=value("parts"),
        profile=value("profile"),
        pedal=value("pedal") == "true",
        pedal_device=value("pedal_device"),
        pedal_role=value("pedal_role"),
        prediction_ms=float(value("prediction_ms")),
        page=value("page"),
        store=value("store"),
    )
    return launch_actions(booth_processes(load_robot(value("robot")), value("robot"), options))


def generate_launch_description():
    """Arguments with descriptions and choices, then the processes of graph.nodes."""
    robots = ", ".join(robot_names())
    arguments = [
        DeclareLaunchArgument("robot", default_value="hx5_d20_right", description=f"{robots}, or a YAML file"),
        DeclareLaunchArgument("source", default_value=DEFAULTS.source, description="camera, video, clip, topic:/name"),
        DeclareLaunchArgument(
            "driver", default_value=DEFAULTS.driver, choices=list(DRIVERS), description="whose driver"
        ),
        DeclareLaunchArgument("record", default_value=DEFAULTS.record, choices=list(RECORD_MODES), description="takes"),
        DeclareLaunchArgument("port", default_value="", description="serial port; empty: the robot's own"),
        DeclareLaunchArgument("baud", default_value="0", description="baud rate; 0: the robot's own"),
        DeclareLaunchArgument("directory", default_value=DEFAULTS.directory, description="where episodes go"),
        DeclareLaunchArgument("task", default_value="", description="what is demonstrated"),
        DeclareLaunchArgument("operator", default_value="", description="who demonstrates"),
        DeclareLaunchArgument("params", default_value="", description="parameter file, see config/booth.yaml"),
        DeclareLaunchArgument("booth", default_value="", description="which booth this is"),
        DeclareLaunchArgument("cameras", default_value="", description="more cameras: name=/topic name=raw:/topic"),
        DeclareLaunchArgument("topics", default_value="", description="more topics: name=/topic:package/msg/Type"),
        DeclareLaunchArgument("preroll_s", default_value="0.0", description="seconds before the start that are kept"),
        DeclareLaunchArgument(
            "parts", default_value="", description="hands, hands+arms, hands+arms+head …; empty: all"
        ),
        DeclareLaunchArgument("profile", default_value="", description="the operator's stored calibration"),
        DeclareLaunchArgument("pedal", default_value="false", choices=["true", "false"], description="hold to run"),
        DeclareLaunchArgument("pedal_device", default_value="", description="foot pedal: /dev/input/by-id/… or auto"),
        DeclareLaunchArgument(
            "pedal_role", default_value=DEFAULTS.pedal_role, choices=list(PEDAL_ROLES), description="what it is for"
        ),
        DeclareLaunchArgument(
            "prediction_ms", default_value="0.0", description="how far ahead hands and arms are predicted, up to 100"
        ),
        DeclareLaunchArgument("page", default_value="", description="the operator's page, HOST:PORT; empty: none"),
        DeclareLaunchArgument("store", default_value="", description="operators and sessions; empty: this user's own"),
        DeclareLaunchArgument("rate_hz", default_value=str(DEFAULTS.rate_hz), description="rows per second"),
        DeclareLaunchArgument("loop", default_value="false", choices=["true", "false"], description="repeat a video"),
        DeclareLaunchArgument(
            "mirrored", default_value="false", choices=["true", "false"], description="mirror camera"
        ),
    ]
    return LaunchDescription([*arguments, *environment_actions(), OpaqueFunction(function=_start)])
