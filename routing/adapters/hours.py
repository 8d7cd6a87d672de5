"""Opening hours: HSDS schedules as weekly openings, and openings as words."""

from collections.abc import Sequence
from datetime import time
from itertools import groupby
from typing import Final

from routing.adapters.tables import Row
from routing.domain.model import Opening

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MIDNIGHT: Final = time(0)


def openings_of(row: Row) -> list[Opening]:
    """Return the weekly openings of a row of schedules.csv; notes what is wrong with it."""
    opens, closes = row.clock("opens_at"), row.clock("closes_at")
    if row.text("freq") not in {"", "WEEKLY"}:
        row.fault("freq", "is not WEEKLY: other rules cannot be matched")
    days = row.items("byday", ";,")
    for day in days:
        if day not in _DAYS:
            row.fault("byday", f"{day!r} is none of {', '.join(_DAYS)}")
    if opens is None or closes is None:
        return []
    if closes != _MIDNIGHT and closes <= opens:
        row.fault("closes_at", "is not after opens_at; write a night as two rows")
    return [Opening(_DAYS.index(day), opens, closes) for day in days if day in _DAYS]


def words_of(openings: Sequence[Opening], *, always_open: bool, told: str) -> str:
    """Return opening hours for people: what the package tells, or made from the openings."""
    if told or not (always_open or openings):
        return told
    if always_open:
        return "Open day and night, every day"
    by_day = sorted(openings, key=lambda o: (o.weekday, o.opens))
    times = dict.fromkeys((o.opens, o.closes) for o in by_day)
    return "; ".join(_line(by_day, span) for span in times)


def _line(openings: Sequence[Opening], span: tuple[time, time]) -> str:
    days = _days([o.weekday for o in openings if (o.opens, o.closes) == span])
    return f"{days} {_clock(span[0])} to {_clock(span[1])}"


def _days(weekdays: Sequence[int]) -> str:
    """Return "Monday to Friday, Sunday" for weekdays."""
    runs = groupby(enumerate(sorted(set(weekdays))), key=lambda pair: pair[1] - pair[0])
    spans = [[day for _, day in run] for _, run in runs]
    return ", ".join(
        _NAMES[span[0]] if len(span) == 1 else f"{_NAMES[span[0]]} to {_NAMES[span[-1]]}"
        for span in spans
    )


def _clock(moment: time) -> str:
    if moment == _MIDNIGHT:
        return "midnight"
    return f"{moment.hour % 12 or 12}:{moment:%M} {'AM' if moment.hour < 12 else 'PM'}"  # noqa: PLR2004
