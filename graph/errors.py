# SPDX-License-Identifier: Apache-2.0
"""The root of all errors that are answers to a person, and the exit codes that go with them."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_INPUT = 2
EXIT_DEVICE = 3
EXIT_INTERRUPTED = 130


class BoothError(Exception):
    """Something a person can put right. The message says what was expected, what was found and what to do.

    Attributes:
        exit_code: 1 what was asked for did not succeed · 2 wrong input (file, name, option) · 3 a device (camera,
            serial port, servo) is missing or faulty. A process that ends with 2 or 3 is not restarted: it would
            end so again.
    """

    exit_code = EXIT_FAILED


class InputError(BoothError):
    """A file, name or option that can't be used. Scenarios: unreadable video, missing model file, unknown robot."""

    exit_code = EXIT_INPUT


class DeviceError(BoothError):
    """A device that is not there or not what it should be. Scenarios: no camera, port busy, servo of another model."""

    exit_code = EXIT_DEVICE
