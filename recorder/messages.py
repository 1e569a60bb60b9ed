# SPDX-License-Identifier: Apache-2.0
"""ROS 2 messages without ROS: definitions for the take's schemas, and decoding of recorded CDR bytes."""

from functools import cache
from typing import Any

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from recorder.errors import TakeError

__all__ = ["UNDECODABLE", "SerdeError", "definition", "deserialize", "typestore"]

UNDECODABLE = (SerdeError, ValueError, IndexError, UnicodeDecodeError)
"""What decoding and looking at a message of garbage raises."""


@cache
def typestore() -> Typestore:
    """The message types of ROS 2 Jazzy."""
    return get_typestore(Stores.ROS2_JAZZY)


def definition(ros_type: str) -> bytes:
    """The concatenated .msg text (schema encoding ``ros2msg``) of ``package/msg/Type``.

    Raises:
        TakeError: not a type of ROS 2 Jazzy's common interfaces.
    """
    if ros_type not in typestore().fielddefs:
        raise TakeError(f"unknown message type {ros_type!r}: expected one of ROS 2 Jazzy's common interfaces")
    text: str = typestore().generate_msgdef(ros_type, ros_version=2)[0]
    return text.encode()


def deserialize(data: memoryview, ros_type: str) -> Any:
    """Decode one CDR message; large arrays are views of ``data``.

    Raises:
        SerdeError: the bytes are not a message of that type.
    """
    return typestore().deserialize_cdr(data, ros_type)
