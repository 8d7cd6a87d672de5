"""A unit of work for tests of the consume loop: it keeps nothing back."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.event import Event
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class PlainUnit:
    """Handlers write at once, through `tx`."""

    tx: Tx

    def flush(self) -> None:
        """Write nothing: everything is written."""


def begin(tx: Tx, _: Sequence[Event]) -> PlainUnit:
    """Open a unit."""
    return PlainUnit(tx)
