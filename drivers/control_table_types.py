# SPDX-License-Identifier: Apache-2.0
"""What a control table is: registers found by name or by address. The tables themselves are in `control_table`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from graph.errors import InputError

Access = Literal["r", "rw"]
Area = Literal["eeprom", "ram"]
Family = Literal["x", "p", "y", "hx5"]
"""Register layout and error semantics: X (with XL330 and XM335), P (with RH-P12-RN), Y, HX5 hand controller."""

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
BAUD_RATES: Mapping[int, int] = MappingProxyType(
    {
        0: 9600,
        1: 57_600,
        2: 115_200,
        3: 1_000_000,
        4: 2_000_000,
        5: 3_000_000,
        6: 4_000_000,
        7: 4_500_000,
        8: 6_000_000,
        9: 10_500_000,
    }
)
"""Baud register -> bits per second; every family knows the first few of these (e-Manual, "Baud Rate")."""


class ControlTableError(InputError, KeyError):
    """A name no table knows. Scenarios: a register that this model lacks, a typing error, an unknown model string.
    The message lists the nearest names."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Item:
    """One register.

    Attributes:
        address: first byte in the control table.
        size: bytes, little endian.
        name: as in the e-Manual, for example ``Goal Position``.
        access: ``r`` or ``rw``.
        area: ``eeprom`` survives power-off and is writable only while torque is off; ``ram`` doesn't.
        default: factory value, raw.
        minimum, maximum: range of writable values, raw; None where the size is the only bound.
        signed: two's complement.
    """

    address: int
    size: int
    name: str
    access: Access = "rw"
    area: Area = "ram"
    default: int = 0
    minimum: int | None = None
    maximum: int | None = None
    signed: bool = False

    @property
    def end(self) -> int:
        """Address after the last byte."""
        return self.address + self.size

    def encode(self, value: int) -> bytes:
        """Raw value to bytes; OverflowError when it doesn't fit the size."""
        return value.to_bytes(self.size, "little", signed=self.signed)

    def decode(self, data: bytes) -> int:
        """Bytes of this register to its raw value."""
        return int.from_bytes(data, "little", signed=self.signed)

    def allows(self, value: int) -> bool:
        """Whether ``value`` lies in the range of writable values."""
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True)
class IndirectBlock:
    """``count`` two-byte pointers at ``address``; byte n read or written at ``data + n`` goes where pointer n says."""

    address: int
    data: int
    count: int


def indirect_items(
    block: IndirectBlock,
    pointer: str = "Indirect Address",
    data: str = "Indirect Data",
    *,
    first: int = 1,
    area: Area = "ram",
    targets: tuple[int | None, int | None] = (None, None),
) -> Iterator[Item]:
    """Registers of one indirect block. Each pointer points at its own data byte until somebody sets it.

    Args:
        block: where they lie.
        pointer, data: names, to which a number is added, counted from ``first``.
        area: of the pointers; the data bytes are RAM.
        targets: lowest and highest address that a pointer may hold.
    """
    for n in range(block.count):
        yield Item(block.address + 2 * n, 2, f"{pointer} {first + n}", "rw", area, block.data + n, *targets)
        yield Item(block.data + n, 1, f"{data} {first + n}")


class ControlTable:
    """All registers of one model, found by name or by address."""

    def __init__(
        self,
        model_name: str,
        model_number: int,
        items: Iterable[Item],
        indirect: Iterable[IndirectBlock] = (),
        baud_rates: Mapping[int, int] | None = None,
    ) -> None:
        self.model_name = model_name
        self.model_number = model_number
        self.items = tuple(sorted(items, key=lambda item: item.address))
        self.indirect = tuple(indirect)
        self.baud_rates: Mapping[int, int] = MappingProxyType(dict(baud_rates or {}))
        """Value of the baud register -> bits per second."""
        self._by_name = {item.name: item for item in self.items}

    def __repr__(self) -> str:
        return f"ControlTable({self.model_name!r}, {self.model_number})"

    def __getitem__(self, name: str) -> Item:
        try:
            return self._by_name[name]
        except KeyError:
            raise ControlTableError(
                f"{self.model_name} has no register {name!r}; nearest: {_nearest(name, self._by_name)}"
            ) from None

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def names(self) -> frozenset[str]:
        """Names of all registers."""
        return frozenset(self._by_name)

    @property
    def size(self) -> int:
        """Address after the last register."""
        return max(self.items[-1].end, max((block.data + block.count for block in self.indirect), default=0))

    @cached_property
    def by_byte(self) -> Mapping[int, Item]:
        """The register that each defined byte address belongs to."""
        return MappingProxyType({address: item for item in self.items for address in range(item.address, item.end)})

    def baud_index(self, baud: int) -> int:
        """Value of the baud register for ``baud`` bits per second."""
        for index, rate in self.baud_rates.items():
            if rate == baud:
                return index
        raise ControlTableError(
            f"{self.model_name} has no {baud} baud; expected one of {sorted(self.baud_rates.values())}"
        )


def _nearest(name: str, names: Iterable[str]) -> str:
    known = {known.casefold(): known for known in names}
    near = get_close_matches(name.casefold().replace("_", " "), known, n=4, cutoff=0.4)
    return ", ".join(known[n] for n in near) or "none"
