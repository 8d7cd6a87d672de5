"""What a page's fields start out with: what was typed, or else the page's defaults."""

from collections.abc import Mapping, Sequence
from datetime import date

from intake.adapters.pages.reader import Typed

Defaults = Mapping[str, Sequence[str]]


class Said:
    """Typed values for a template; the defaults stand where the page was never answered."""

    def __init__(self, typed: Typed | None, defaults: Defaults) -> None:
        self._typed = defaults if typed is None else typed

    def one(self, name: str) -> str:
        """Return the value of a field or of a radio group."""
        return next(iter(self._typed.get(name, ())), "")

    def every(self, name: str) -> list[str]:
        """Return the ticked values of a group."""
        return list(self._typed.get(name, ()))

    def parts(self, name: str) -> dict[str, str]:
        """Return a date's month, day and year as typed."""
        return {part: self.one(f"{name}_{part}") for part in ("month", "day", "year")}


def day_parts(name: str, day: date) -> dict[str, list[str]]:
    """Return a date as the three fields that it is typed in."""
    return {
        f"{name}_month": [str(day.month)],
        f"{name}_day": [str(day.day)],
        f"{name}_year": [str(day.year)],
    }
