"""Where something began: W3C Trace Context, and the correlation id of the first request."""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

_TRACEPARENT: Final = re.compile(
    r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII
)
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
_SAMPLED: Final = 1

# Only what cannot spell a name or a phone number is taken over from outside.
_CORRELATION: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_traceparent(text: str) -> str | None:
    """Return a header's trace context as version 00, or None when it has to be ignored.

    A later version may have more parts at its end, which are left out, as are flags that version
    00 does not know. `ff` is no version, zeros are no id, and letters are lower case. Several
    headers in one request arrive joined by commas, which is no trace context either.
    Source: https://www.w3.org/TR/trace-context-1/#traceparent-header
    """
    found = _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or trace == _NO_TRACE or span == _NO_SPAN:
        return None
    return f"00-{trace}-{span}-{int(flags, 16) & _SAMPLED:02x}"


def traceparent_of(text: str) -> str:
    """Return a header's trace context, or a new one that starts here."""
    return read_traceparent(text) or new_traceparent()


def traces_of(headers: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the good trace contexts among the headers of records, each once."""
    found = {read_traceparent(each.get("traceparent", "")) for each in headers}
    return sorted(trace for trace in found if trace)


def correlation_of(text: str) -> str:
    """Return a header's correlation id if it is one of ours, or a new one."""
    return text if _CORRELATION.fullmatch(text) else new_correlation()


def new_traceparent() -> str:
    """Return a trace context that starts here."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def traceparent_outside(delivery_id: UUID) -> str:
    """Return the trace context of what one delivery begins in somebody else's system.

    Its trace id is the delivery's own, so that two partners cannot tell by it that they were
    asked about the same person, while the log's line of an attempt has both ids.
    """
    return f"00-{delivery_id.hex}-{secrets.token_hex(8)}-01"


def new_correlation() -> str:
    """Return a new correlation id."""
    return secrets.token_hex(16)
