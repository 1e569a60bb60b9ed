# SPDX-License-Identifier: Apache-2.0
"""What can go wrong while exporting, and the libraries that only exports need."""

from importlib import import_module
from typing import Any

from graph.errors import EXIT_INPUT
from recorder.errors import RecorderError


class ExportError(RecorderError):
    """An export that was started and could not be finished. Scenarios: a broken JPEG, a full disk, a lost cluster."""


class ExportInputError(ExportError):
    """An export that can't be started. Scenarios: episodes of two robots, a folder of somebody else, a missing
    library, an option that the format does not have."""

    exit_code = EXIT_INPUT


def library(name: str) -> Any:
    """A module of the optional extra ``export``, imported when it is first needed.

    Raises:
        ExportInputError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ExportInputError(
            f"this export needs {name.partition('.')[0]}, which is not installed ({error}):"
            " pip install 'humanoid_booth[export]'"
        ) from error
