# SPDX-License-Identifier: Apache-2.0
"""Settings of servos in a text file: EEPROM and gains, one register a line, made to be read and compared (diff)."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.control_table import ControlTableError, Item
from drivers.servo_tools import Device, RefusedError
from drivers.servo_tools_change import Change, plan
from drivers.servo_tools_values import describe, item_maximum, item_minimum, readable
from graph.errors import InputError

MAX_FILE_BYTES = 1024 * 1024
NEVER_RESTORED = ("ID", "Baud Rate", "Baud Rate (Bus)", "Baud Rate (DXL)")
"""Where a device is on the line is not a setting to copy: set-id and set-baud change it."""


class BackupFileError(InputError):
    """A backup file that can't be used. Scenarios: not YAML, another format, a register with a value that is no number,
    a file that exists already."""


class DeviceBackup(BaseModel):
    """Settings of one device, raw values by e-Manual name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[int, Field(ge=0, le=252)]
    joint: str = ""
    model: str
    model_number: int
    firmware: int
    registers: dict[str, Annotated[int, Field(strict=True)]]


class Backup(BaseModel):
    """A whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["booth servo backup 1"]
    written: str = ""
    robot: str = ""
    devices: list[DeviceBackup]


def saved_registers(device: Device) -> list[Item]:
    """What a backup holds: every writable EEPROM register, and the gains, which are RAM and lost at power-off."""
    items = [item for item in readable(device.model.table) if item.access == "rw"]
    return [item for item in items if item.area == "eeprom" or item.name.endswith("Gain")]


def take(device: Device, joint: str = "") -> DeviceBackup:
    """Read a device's settings."""
    registers = {item.name: device.get(item.name) for item in saved_registers(device)}
    number, firmware = device.identity.model_number, device.identity.firmware
    return DeviceBackup(
        id=device.id,
        joint=joint,
        model=device.model.name,
        model_number=number,
        firmware=firmware,
        registers=registers,
    )


def text_of(backups: list[tuple[Device, DeviceBackup]], robot: str, written: str) -> str:
    """The file: YAML with the meaning of each value behind it."""
    lines = [
        "# Settings of servos, raw values; restore with: booth servo restore ID THIS_FILE",
        "format: booth servo backup 1",
        f"written: {written!r}",
        f"robot: {robot!r}",
        "devices:",
    ]
    for device, backup in backups:
        lines += [f"- id: {backup.id}", f"  joint: {backup.joint!r}", f"  model: {backup.model}"]
        lines += [f"  model_number: {backup.model_number}", f"  firmware: {backup.firmware}", "  registers:"]
        drive_mode = backup.registers.get("Drive Mode", 0)
        for name, value in backup.registers.items():
            meaning = describe(device.model.table[name], value, device.model, drive_mode)
            lines.append(f"    {name}: {value}".ljust(40) + (f"  # {meaning}" if meaning else ""))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def write_file(path: Path, text: str, replace: bool) -> None:
    """Write a backup in one step; an older one is kept unless told."""
    if path.exists() and not replace:
        raise BackupFileError(f"{path} exists: choose another name, or --force to replace it")
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise BackupFileError(f"{path} can't be written: {error.strerror}") from error


def read_file(path: Path) -> Backup:
    """Read and check a backup.

    Raises:
        BackupFileError: with what is wrong.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BackupFileError(f"{path} is larger than {MAX_FILE_BYTES} bytes: not a servo backup")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Backup.model_validate(data)
    except OSError as error:
        raise BackupFileError(f"{path} can't be read: {error.strerror}; booth servo backup makes one") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            parts = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
            raise BackupFileError(f"{path} is no servo backup: {'; '.join(parts[:5])}") from error
        raise BackupFileError(f"{path} is not valid YAML: {error}") from error


def entry(backup: Backup, servo_id: int, origin: str) -> DeviceBackup:
    """The settings of one ID in a file."""
    for device in backup.devices:
        if device.id == servo_id:
            return device
    there = ", ".join(str(device.id) for device in backup.devices)
    raise BackupFileError(f"{origin} has no ID {servo_id}: expected one of {there}; --of ID takes another one's")


def plan_restore(device: Device, saved: DeviceBackup) -> list[Change]:
    """What a restore would write. ID and speed stay as they are.

    Raises:
        RefusedError: another model, or a value that the register can't take.
        ControlTableError: the file names a register that this firmware lacks.
    """
    if device.identity.model_number != saved.model_number:
        raise RefusedError(
            f"ID {device.id} is a {device.model.name}, the backup is of a {saved.model}: settings of another model "
            "don't fit"
        )
    wanted = {}
    for name, value in saved.registers.items():
        if name in NEVER_RESTORED:
            continue
        if name not in device.model.table:
            raise ControlTableError(
                f"firmware {device.identity.firmware} of ID {device.id} has no register {name!r}; the backup is of "
                f"firmware {saved.firmware}: delete that line, or update the servo with DYNAMIXEL Wizard"
            )
        item = device.model.table[name]
        if not item_minimum(item) <= value <= item_maximum(item):
            raise RefusedError(
                f"{name}: {value} is out of range {item_minimum(item)} … {item_maximum(item)}: mend the file"
            )
        wanted[name] = value
    return plan(device, wanted)
