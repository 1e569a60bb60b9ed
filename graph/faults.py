# SPDX-License-Identifier: Apache-2.0
"""Names of all that can go wrong. Each has a page, docs/faults/<name>.md, and a test, test/faults/test_<name>.py."""

from dataclasses import dataclass
from enum import Enum


class FaultCode(Enum):
    """What can go wrong. The value is what operators see on /diagnostics and look up."""

    # the robot's bus
    SERVO_SILENT = "servo_silent"
    BRANCH_POWER_LOST = "branch_power_lost"
    BUS_SILENT = "bus_silent"
    PORT_LOST = "port_lost"
    BUS_NOISE = "bus_noise"
    HARDWARE_ERROR = "hardware_error"
    NEAR_LIMIT = "near_limit"
    SERVOS_STOPPED = "servos_stopped"
    WATCHDOG_NOT_ARMED = "watchdog_not_armed"
    EMERGENCY_STOP = "emergency_stop"
    # commands
    COMMAND_STALE = "command_stale"
    SECOND_COMMANDER = "second_commander"
    STOP_REQUESTED = "stop_requested"
    # what the camera sees
    LANDMARKS_NAN = "landmarks_nan"
    CAMERA_FROZEN = "camera_frozen"
    HAND_LOST = "hand_lost"
    HANDS_SWAPPED = "hands_swapped"
    BYSTANDER = "bystander"
    # the operator's foot
    PEDAL_LOST = "pedal_lost"
    # the link to an operator far away
    LINK_LOST = "link_lost"
    LINK_GARBAGE = "link_garbage"
    # this computer
    CLOCK_JUMP = "clock_jump"
    DRIVER_STARVED = "driver_starved"
    DRIVER_KILLED = "driver_killed"
    TRACKER_KILLED = "tracker_killed"
    RECORDER_KILLED = "recorder_killed"
    DISK_FULL = "disk_full"
    INTERRUPT = "interrupt"
    # before anything moves
    WRONG_ROBOT = "wrong_robot"
    ROBOT_FILE_BAD = "robot_file_bad"
    PARAMETER_FILE_BAD = "parameter_file_bad"
    EPISODE_BAD = "episode_bad"
    MODEL_MISSING = "model_missing"
    NO_CAMERA = "no_camera"
    PORT_BUSY = "port_busy"
    PORT_MISSING = "port_missing"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong now.

    Attributes:
        code: its name.
        text: what was found and what to do, for people.
        stops: True where only a new set-up helps (STOPPED), False where motion must pause (HOLD).
    """

    code: FaultCode
    text: str
    stops: bool = False
