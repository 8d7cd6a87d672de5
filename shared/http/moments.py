"""Times and clocks in the site's zone and the reader's language."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from babel.dates import format_date, format_datetime, format_time
from flask_babel import get_locale
from flask_babel import gettext as _

from shared.http.web import web

_SOON: Final = timedelta(hours=1)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Clock:
    """A running clock: `kind` is running, soon or overdue; `left` and `at` are words."""

    kind: str
    left: str
    at: str
    iso: str


def clock(until: datetime, now: datetime | None = None) -> Clock:
    """Return a clock that runs out at `until`; an hour before the end it is "soon"."""
    left = until - (now or datetime.now(UTC))
    kind = "overdue" if left <= timedelta(0) else "soon" if left <= _SOON else "running"
    return Clock(kind, duration(abs(left)), short_time(until), _utc(until))


def duration(span: timedelta) -> str:
    """Return a span in its two largest units: "2 days 3 h", "3 h 20 min", "5 min"."""
    seconds = int(span.total_seconds())
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if days:
        word = _("1 day") if days == 1 else _("%(days)s days", days=days)
        return f"{word} {_('%(hours)s h', hours=hours)}" if hours else word
    if hours:
        word = _("%(hours)s h", hours=hours)
        return f"{word} {_('%(minutes)s min', minutes=minutes)}" if minutes else word
    return _("%(minutes)s min", minutes=minutes) if minutes else _("less than a minute")


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago something was."""
    span = (now or datetime.now(UTC)) - moment
    return _("%(duration)s ago", duration=duration(max(span, timedelta(0))))


def short_time(moment: datetime) -> str:
    """Return "Tue 5:00 PM", with the date when it is not within six days."""
    local = moment.astimezone(web().site.zone)
    near = abs(moment - datetime.now(UTC)) < timedelta(days=6)
    pattern = "EEE" if near else "EEE, MMM d"
    day_part = format_date(local, pattern, locale=_locale())
    return f"{day_part} {format_time(local, 'short', locale=_locale())}".replace("\u202f", " ")


def full_time(moment: datetime) -> str:
    """Return "Tuesday, November 24, 2026, 5:00 PM"."""
    local = moment.astimezone(web().site.zone)
    return format_datetime(local, "EEEE, MMMM d, y, h:mm a", locale=_locale()).replace(
        "\u202f", " "
    )


def day(moment: datetime) -> str:
    """Return "November 24, 2026", the day in the site's zone."""
    return format_date(moment.astimezone(web().site.zone), "long", locale=_locale())


def _locale() -> str:
    return str(get_locale() or "en_US").replace("-", "_")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
