"""When an attempt is repeated, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.attempts import DELAYS, Answer, Decision, State, Verdict, decide

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FAILED = Answer("status-500", Verdict.TEMPORARY)


def decided(answer: Answer, attempts: int, *, left: timedelta | None = None) -> Decision:
    not_after = None if left is None else NOW + left
    return decide(answer, attempts=attempts, not_after=not_after, now=NOW, chance=0.0)


def test_the_waits_are_those_of_standard_webhooks() -> None:
    waits = []
    for attempt in range(1, 10):
        at = decided(FAILED, attempt).next_attempt_at
        assert at is not None
        waits.append(at - NOW)

    assert waits == list(DELAYS)
    assert sum(waits, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


def test_after_the_last_wait_it_is_given_up() -> None:
    assert decided(FAILED, 10) == Decision(State.EXHAUSTED)


def test_success_ends_it() -> None:
    assert decided(Answer("delivered", Verdict.DELIVERED), 1) == Decision(State.DELIVERED)


@pytest.mark.parametrize("verdict", [Verdict.PERMANENT, Verdict.GONE])
def test_what_can_never_work_is_given_up_at_once(verdict: Verdict) -> None:
    assert decided(Answer("x", verdict), 1) == Decision(State.EXHAUSTED)


def test_a_doubtful_answer_is_believed_the_third_time() -> None:
    answer = Answer("status-404", Verdict.DOUBTFUL)

    states = [decided(answer, attempts).state for attempts in (1, 2, 3)]

    assert states == [State.FAILED, State.FAILED, State.EXHAUSTED]


def test_a_wish_to_wait_longer_is_granted_up_to_a_day() -> None:
    for asked, granted in ((1, 5), (120, 120), (10**9, 86_400)):
        answer = Answer("status-429", Verdict.TEMPORARY, timedelta(seconds=asked))
        assert decided(answer, 1).next_attempt_at == NOW + timedelta(seconds=granted)


def test_a_wait_past_the_end_is_given_up_while_a_person_can_still_call() -> None:
    """R-16: nothing is sent at or after its end."""
    assert decided(FAILED, 3, left=timedelta(minutes=30)).state is State.EXHAUSTED
    assert decided(FAILED, 3, left=timedelta(minutes=31)).state is State.FAILED


@given(
    attempts=st.integers(1, 12),
    chance=st.floats(0, 1),
    left=st.none() | st.timedeltas(timedelta(), timedelta(days=5)),
    asked=st.none() | st.timedeltas(timedelta(), timedelta(days=5)),
    verdict=st.sampled_from(Verdict),
)
def test_no_attempt_comes_early_or_after_the_end(
    attempts: int,
    chance: float,
    left: timedelta | None,
    asked: timedelta | None,
    verdict: Verdict,
) -> None:
    not_after = None if left is None else NOW + left
    answer = Answer("x", verdict, asked)

    decision = decide(answer, attempts=attempts, not_after=not_after, now=NOW, chance=chance)

    at = decision.next_attempt_at
    assert (at is not None) == (decision.state is State.FAILED)
    if at is not None:
        wait = max(DELAYS[attempts - 1], min(asked or timedelta(), timedelta(hours=24)))
        assert NOW + wait <= at <= NOW + wait * 1.2 + timedelta(microseconds=1)
        assert not_after is None or at <= not_after
