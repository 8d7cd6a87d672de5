"""Clocks: wall time for emergencies, business hours and days for the rest (R-44)."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.domain import clocks
from routing.domain.clocks import Allowances, Calendar
from routing.domain.model import Opening
from tests.unit.routing.builders import CALENDAR, CHICAGO, MONDAY, WEEKDAYS

LATER = MONDAY + timedelta(days=60)
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  (hypothesis adds the zone)
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHICAGO)  # type: ignore[arg-type,misc]  # year to minute


def answer_by(now: datetime, urgency: str, expires: datetime = LATER) -> datetime:
    return clocks.answer_by(now, urgency, expires, limits=Allowances(), calendar=CALENDAR)


@pytest.mark.parametrize(
    ("now", "urgency", "until"),
    [
        # an emergency is counted by the wall, at any hour
        (local(2026, 11, 21, 23, 30), "emergency", local(2026, 11, 22, 0, 30)),
        # four business hours within a day, over a night, over a weekend
        (local(2026, 11, 23, 9, 0), "urgent", local(2026, 11, 23, 13, 0)),
        (local(2026, 11, 23, 15, 0), "urgent", local(2026, 11, 24, 10, 0)),
        (local(2026, 11, 20, 16, 0), "urgent", local(2026, 11, 23, 11, 0)),
        (local(2026, 11, 21, 12, 0), "urgent", local(2026, 11, 23, 12, 0)),
        # over Thanksgiving, which is two days here, and the weekend behind it
        (local(2026, 11, 25, 16, 0), "urgent", local(2026, 11, 30, 11, 0)),
        # two business days: the same hour, over a weekend, over holidays, from a day off
        (local(2026, 11, 23, 9, 30), "routine", local(2026, 11, 25, 9, 30)),
        (local(2026, 11, 20, 9, 30), "routine", local(2026, 11, 24, 9, 30)),
        (local(2026, 11, 25, 9, 30), "routine", local(2026, 12, 1, 9, 30)),
        (local(2026, 11, 21, 12, 0), "routine", local(2026, 11, 25, 8, 0)),
        # Monday evening: Tuesday is when it came in; Thursday and Friday are off
        (local(2026, 11, 23, 21, 36), "routine", local(2026, 11, 30, 8, 0)),
    ],
)
def test_an_answer_is_due_in_the_hours_of_the_site(
    now: datetime, urgency: str, until: datetime
) -> None:
    assert answer_by(now, urgency) == until


@pytest.mark.parametrize(
    ("now", "urgency", "until"),
    [
        # clocks go forward on Sunday, March 8 2026 and back on Sunday, November 1 2026
        (local(2026, 3, 6, 15, 0), "urgent", local(2026, 3, 9, 10, 0)),
        (local(2026, 10, 30, 15, 0), "urgent", local(2026, 11, 2, 10, 0)),
        (local(2026, 3, 6, 15, 0), "routine", local(2026, 3, 10, 15, 0)),
        (local(2026, 10, 30, 15, 0), "routine", local(2026, 11, 3, 15, 0)),
    ],
)
def test_daylight_saving_moves_no_opening(now: datetime, urgency: str, until: datetime) -> None:
    assert answer_by(now, urgency) == until


def test_an_hour_that_the_clock_skips_is_not_counted() -> None:
    night = Calendar(CHICAGO, dict.fromkeys(range(7), (time(0), time(6))), frozenset())

    due = clocks.add_business_time(local(2026, 3, 8, 1, 0), timedelta(hours=3), night)

    assert due == local(2026, 3, 8, 5, 0)


def test_an_hour_that_the_clock_repeats_is_counted_twice() -> None:
    night = Calendar(CHICAGO, dict.fromkeys(range(7), (time(0), time(6))), frozenset())

    due = clocks.add_business_time(local(2026, 11, 1, 0, 0), timedelta(hours=3), night)

    assert due == local(2026, 11, 1, 2, 0)


def test_nobody_has_longer_than_the_release_lasts() -> None:
    soon = MONDAY + timedelta(minutes=30)

    assert answer_by(MONDAY, "routine", soon) == soon


@pytest.mark.parametrize("urgency", ["emergency", "urgent", "routine"])
def test_first_contact_has_a_longer_clock_than_the_answer(urgency: str) -> None:
    contact = clocks.first_contact_by(MONDAY, urgency, limits=Allowances(), calendar=CALENDAR)

    assert contact > answer_by(MONDAY, urgency)


@given(MOMENTS, st.integers(0, 40 * 60))
def test_business_time_ends_inside_office_hours_and_never_early(
    start: datetime, minutes: int
) -> None:
    amount = timedelta(minutes=minutes)

    due = clocks.add_business_time(start, amount, CALENDAR)

    assert due >= start + amount
    if minutes:
        here = due.astimezone(CHICAGO)
        assert CALENDAR.span(here.date()) is not None
        assert time(8) <= here.time() <= time(17)


@given(MOMENTS, st.integers(1, 500), st.integers(1, 500))
def test_business_time_adds_up(start: datetime, first: int, second: int) -> None:
    once = clocks.add_business_time(start, timedelta(minutes=first + second), CALENDAR)
    middle = clocks.add_business_time(start, timedelta(minutes=first), CALENDAR)

    assert clocks.add_business_time(middle, timedelta(minutes=second), CALENDAR) == once


@given(MOMENTS, st.integers(1, 10))
def test_a_business_day_is_never_shorter_than_a_day_off_is_long(
    start: datetime, days: int
) -> None:
    due = clocks.add_business_days(start, days, CALENDAR)

    here = due.astimezone(CHICAGO)
    assert due >= start
    assert CALENDAR.span(here.date()) is not None
    assert time(8) <= here.time() <= time(17)


def test_a_site_without_office_hours_is_refused() -> None:
    never = Calendar(CHICAGO, {}, frozenset())

    with pytest.raises(ValueError, match="no office hours"):
        clocks.add_business_time(MONDAY, timedelta(hours=1), never)
    with pytest.raises(ValueError, match="no office hours"):
        clocks.add_business_days(MONDAY, 1, never)


def test_a_service_is_open_in_its_own_zone() -> None:
    at = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 8:30 in Baton Rouge, 7:30 in Rapid City

    assert clocks.is_open(WEEKDAYS, "America/Chicago", at)
    assert not clocks.is_open(WEEKDAYS, "America/Denver", at)


def test_an_opening_until_midnight_holds_the_last_minute() -> None:
    evening = (Opening(0, time(18), time(0)),)

    assert clocks.is_open(evening, "America/Chicago", local(2026, 11, 23, 23, 59))
    assert not clocks.is_open(evening, "America/Chicago", local(2026, 11, 24, 0, 0))


def test_a_closed_service_says_when_it_opens_next() -> None:
    friday_evening = local(2026, 11, 20, 18, 0)

    assert clocks.next_opening(WEEKDAYS, "America/Chicago", friday_evening) == (0, time(8))
    assert clocks.next_opening((), "America/Chicago", friday_evening) is None


def test_a_holiday_has_no_hours() -> None:
    assert CALENDAR.span(date(2026, 11, 26)) is None
    assert CALENDAR.span(date(2026, 11, 28)) is None
