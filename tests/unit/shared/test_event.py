from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.contracts.event import Event, headers_of, read_envelope
from shared.errors import InvalidEvent

KEY = "0b7c6f0e-6d0a-4e4e-9a53-0c1f0e8a1d01"


def an_event() -> Event:
    return Event(
        id=UUID(int=7),
        source="/intake/brva",
        type="intake.referral.withdrawn.v1",
        key=KEY,
        time=datetime(2026, 11, 24, 12, tzinfo=UTC),
        sequence=3,
        correlation_id="c" * 32,
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        data={"referral_id": KEY},
    )


def test_an_event_survives_the_journey_through_a_record() -> None:
    event = an_event()

    read = read_envelope(KEY, headers_of(event), b'{"referral_id": "%s"}' % KEY.encode())

    assert read == event


@pytest.mark.parametrize(
    ("changes", "value", "code"),
    [
        (
            {"content-type": "application/cloudevents+json"},
            b"{}",
            "not-binary-json",
        ),
        ({"ce_subject": "another"}, b"{}", "key-mismatch"),
        ({"ce_id": "7"}, b"{}", "malformed"),
        ({"ce_sequence": "0"}, b"{}", "malformed"),
        ({"ce_sequence": "first"}, b"{}", "malformed"),
        ({"ce_time": "yesterday"}, b"{}", "malformed"),
        ({}, b"{not json", "malformed"),
        ({}, b"[1]", "malformed"),
        ({}, b"\xff", "malformed"),
        ({}, None, "malformed"),
    ],
)
def test_a_record_that_is_no_event_is_refused_with_a_code(
    changes: Mapping[str, str], value: bytes | None, code: str
) -> None:
    """R-56: the mode is decided by the content type, not by ce_ headers."""
    with pytest.raises(InvalidEvent) as refused:
        read_envelope(KEY, {**headers_of(an_event()), **changes}, value)

    assert refused.value.code == code


def test_a_missing_header_is_refused() -> None:
    headers = headers_of(an_event())
    del headers["ce_sequence"]

    with pytest.raises(InvalidEvent, match="header-missing"):
        read_envelope(KEY, headers, b"{}")
