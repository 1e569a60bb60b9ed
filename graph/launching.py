# SPDX-License-Identifier: Apache-2.0
"""Process specifications as actions of ROS 2's own launch system; imported by the launch files only."""

import os
from collections.abc import Sequence
from typing import Any

from launch.actions import EmitEvent, ExecuteProcess, RegisterEventHandler, SetEnvironmentVariable
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch_ros.actions import Node

from graph.middleware import middleware
from graph.nodes import PACKAGE, OnExit, ProcessSpec
from graph.stamps import ENV_OFFSET, measure_offset_ns

RESPAWN_DELAY_S = 1.0


def environment_actions() -> list[Any]:
    """What every process of one graph shares; what the user has already chosen stays."""
    wanted = {ENV_OFFSET: os.environ.get(ENV_OFFSET, str(measure_offset_ns())), **middleware(os.environ)}
    return [SetEnvironmentVariable(name, value) for name, value in wanted.items()]


def launch_actions(processes: Sequence[ProcessSpec]) -> list[Any]:
    """One action for each process; the graph shuts down where the specification says so."""
    actions: list[Any] = []
    for spec in processes:
        action = _action(spec)
        actions.append(action)
        if spec.on_exit is not OnExit.RESPAWN:
            ended = EmitEvent(event=Shutdown(reason=f"{spec.name} ended"))
            actions.append(RegisterEventHandler(OnProcessExit(target_action=action, on_exit=[ended])))
    return actions


def _action(spec: ProcessSpec) -> Any:
    respawn = spec.on_exit is OnExit.RESPAWN
    if spec.executable is None:
        return ExecuteProcess(cmd=spec.command(), name=spec.name, output="screen", respawn=respawn)
    return Node(
        package=PACKAGE,
        executable=spec.executable,
        name=spec.name,
        parameters=[*([spec.params_file] if spec.params_file else []), spec.parameters],
        arguments=list(spec.arguments),
        output="screen",
        respawn=respawn,
        respawn_delay=RESPAWN_DELAY_S,
    )
