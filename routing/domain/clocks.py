"""Business hours: counted in a site's own hours, holidays and zone, whatever the clock change.

Wall times are turned into moments one edge at a time, so that an hour skipped or repeated by
daylight saving time is counted as it passes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.domain.model import Opening

_LONGEST_CLOSURE_DAYS = 60


@dataclass(frozen=True, slots=True)
class Calendar:
    """A site's office hours: weekday (0 Monday) -> opening and closing time, and its holidays."""

    zone: ZoneInfo
    hours: Mapping[int, tuple[time, time]]
    holidays: Collection[date]

    def span(self, day: date) -> tuple[datetime, datetime] | None:
        """Return the office hours of a day in UTC, None on a day off."""
        if day in self.holidays or day.weekday() not in self.hours:
            return None
        opens, closes = self.hours[day.weekday()]
        return _moment(day, opens, self.zone), _moment(day, closes, self.zone)


@dataclass(frozen=True, slots=True)
class Allowances:
    """How long a partner has, by urgency: to answer, and then to make first contact."""

    emergency_minutes: int = 60
    urgent_hours: int = 4
    routine_days: int = 2
    first_contact_emergency_minutes: int = 120
    first_contact_urgent_hours: int = 8
    first_contact_routine_days: int = 5
    confirm_stop_hours: int = 4


def add_business_time(start: datetime, amount: timedelta, calendar: Calendar) -> datetime:
    """Return the moment by which `amount` of office hours has passed since `start`, in UTC."""
    start, left = start.astimezone(UTC), amount
    day = start.astimezone(calendar.zone).date()
    closed_days = 0
    while closed_days < _LONGEST_CLOSURE_DAYS:
        span = calendar.span(day)
        day += timedelta(days=1)
        if span is None:
            closed_days += 1
            continue
        closed_days = 0
        begin = max(span[0], start)
        open_for = max(span[1] - begin, timedelta())
        if left <= open_for:
            return (begin + left).astimezone(UTC)
        left -= open_for
    raise ValueError("the site has no office hours")


def add_business_days(start: datetime, days: int, calendar: Calendar) -> datetime:
    """Return the same time of day `days` working days later, within that day's hours, in UTC.

    Counting begins with the next opening when `start` is outside office hours: what comes in
    on a Saturday counts as come in when the office opens on Monday.
    """
    begin = _next_open(start, calendar)
    local = begin.astimezone(calendar.zone)
    day = local.date()
    for _ in range(days):
        day = _next_working_day(day, calendar)
    span = calendar.span(day)
    if span is None:
        raise ValueError("the site has no office hours")
    return min(max(_moment(day, local.time(), calendar.zone), span[0]), span[1])


def answer_by(
    now: datetime,
    urgency: str,
    release_expires: datetime,
    *,
    limits: Allowances,
    calendar: Calendar,
) -> datetime:
    """Return until when a partner may answer: the clock of the urgency, or the release's end."""
    clock = place_by(now, urgency, limits=limits, calendar=calendar)
    return min(clock, release_expires).astimezone(UTC)


def place_by(now: datetime, urgency: str, *, limits: Allowances, calendar: Calendar) -> datetime:
    """Return until when a referral may wait for a place: as long as for an answer (R-44)."""
    now = now.astimezone(UTC)
    match urgency:
        case "emergency":
            return now + timedelta(minutes=limits.emergency_minutes)
        case "urgent":
            return add_business_time(now, timedelta(hours=limits.urgent_hours), calendar)
        case _:
            return add_business_days(now, limits.routine_days, calendar)


def first_contact_by(
    now: datetime, urgency: str, *, limits: Allowances, calendar: Calendar
) -> datetime:
    """Return by when a partner that accepted makes first contact (R-44)."""
    now = now.astimezone(UTC)
    match urgency:
        case "emergency":
            return now + timedelta(minutes=limits.first_contact_emergency_minutes)
        case "urgent":
            hours = timedelta(hours=limits.first_contact_urgent_hours)
            return add_business_time(now, hours, calendar)
        case _:
            return add_business_days(now, limits.first_contact_routine_days, calendar)


def is_open(openings: Collection[Opening], zone: str, now: datetime) -> bool:
    """Whether one of the weekly openings holds `now`, in the service's own zone (R-54)."""
    local = now.astimezone(ZoneInfo(zone))
    minute = local.time()
    return any(
        opening.weekday == local.weekday()
        and opening.opens <= minute
        and (minute < opening.closes or opening.closes == time(0))
        for opening in openings
    )


def next_opening(
    openings: Collection[Opening], zone: str, now: datetime
) -> tuple[int, time] | None:
    """Return weekday and time at which a closed service opens next, None when it never does."""
    local = now.astimezone(ZoneInfo(zone))
    here = (local.weekday(), local.time())
    starts = sorted((opening.weekday, opening.opens) for opening in openings)
    later = [start for start in starts if start > here]
    return next(iter(later or starts), None)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _next_open(moment: datetime, calendar: Calendar) -> datetime:
    """Return `moment` if the office is open then, or the next opening."""
    day = moment.astimezone(calendar.zone).date()
    span = calendar.span(day)
    if span is not None and moment < span[1]:
        return max(span[0], moment)
    following = calendar.span(_next_working_day(day, calendar))
    return following[0] if following else moment


def _next_working_day(day: date, calendar: Calendar) -> date:
    for ahead in range(1, _LONGEST_CLOSURE_DAYS):
        candidate = day + timedelta(days=ahead)
        if calendar.span(candidate) is not None:
            return candidate
    raise ValueError("the site has no office hours")
