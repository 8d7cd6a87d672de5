"""W3C Trace Context, level 1: what is taken over from a header and what is not."""

import pytest

from shared.contracts.event import headers_of, read_envelope
from shared.contracts.trace import correlation_of, new_traceparent, read_traceparent
from tests.unit.shared.test_event import KEY, an_event

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", GOOD),
        (f"cc-{TRACE}-{SPAN}-01", GOOD),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", GOOD),
    ],
    ids=["sampled", "not sampled", "unknown flags", "later version", "later version, longer"],
)
def test_a_trace_context_is_taken_over_as_version_00(sent: str, taken: str) -> None:
    assert read_traceparent(sent) == taken


@pytest.mark.parametrize(
    "sent",
    [
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE}-{SPAN[1:]}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{'g' * 32}-{SPAN}-01",
        f"0x-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-+1",
        f"00_{TRACE}_{SPAN}_01",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD},{GOOD}",
        f"{GOOD}, {GOOD}",
        f"00-{'٣' * 32}-{SPAN}-01",
    ],
)
def test_what_is_no_trace_context_is_ignored(sent: str) -> None:
    assert read_traceparent(sent) is None


def test_a_new_trace_context_is_a_good_one() -> None:
    assert read_traceparent(new_traceparent()) is not None
    assert new_traceparent() != new_traceparent()


def test_an_event_with_a_bad_trace_context_or_correlation_gets_new_ones() -> None:
    headers = headers_of(an_event()) | {
        "traceparent": f"00-{'0' * 32}-{SPAN}-01",
        "ce_correlationid": "Jane Canary",
    }

    event = read_envelope(KEY, headers, b"{}")

    assert read_traceparent(event.traceparent) == event.traceparent
    assert correlation_of(event.correlation_id) == event.correlation_id
    assert "Jane" not in event.correlation_id
