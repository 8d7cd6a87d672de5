"""Signed webhooks (Standard Webhooks): a type and the offer's reference, nothing more (R-58)."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import requests
from requests import PreparedRequest, Response
from requests import exceptions as failures
from urllib3.exceptions import HTTPError, NameResolutionError

from notifications.adapters.addresses import AddressRefused, Gate, NameNotFound, Target
from notifications.adapters.connections import Adapters
from notifications.adapters.message import Message
from notifications.adapters.secrets_at_rest import Safe
from notifications.adapters.signing import WrongSecret, key_of, sign
from notifications.domain.attempts import Answer, Verdict
from notifications.domain.notices import Template
from shared.contracts.trace import traceparent_outside
from shared.crypto import CannotOpen

TYPES: Final = {
    Template.OFFER_WAITING: "referral.offered",
    Template.OFFER_STOPPED: "referral.stopped",
    Template.NEEDS_NEW_RELEASE: "referral.needs-new-release",
    Template.NEEDS_ATTENTION: "referral.needs-attention",
}
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0

_MAY_RECOVER: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Posts a message to an endpoint; answers are judged by their status, never kept."""

    gate: Gate = field(default_factory=Gate)
    safe: Safe = field(default_factory=Safe)
    ca_file: str | None = None
    read_seconds: float = READ_SECONDS
    adapters: Adapters = field(default_factory=Adapters)

    def send(self, message: Message) -> Answer:
        """Resolve, check, sign and post once; redirects are not followed."""
        try:
            target = self.gate.check(message.address)
            request = self._request(target, message)
            return self._post(target, request, message.leased_at)
        except AddressRefused:
            return Answer("address-refused", Verdict.DOUBTFUL)
        except NameNotFound:
            return Answer("name-not-found", Verdict.TEMPORARY)
        except (WrongSecret, CannotOpen):
            return Answer("secret-unusable", Verdict.DOUBTFUL)
        except (failures.RequestException, HTTPError, OSError) as failure:
            return Answer(_code_of(failure), Verdict.TEMPORARY)

    def close(self) -> None:
        """Close the kept connections."""
        self.adapters.close()

    def _request(self, target: Target, message: Message) -> PreparedRequest:
        body = body_of(message)
        stamp = int(message.leased_at.timestamp())
        message_id = str(message.delivery_id)
        key = key_of(self.safe.open(message.endpoint_id, message.secret or b""))
        headers = {
            "Host": target.host_header,
            "Content-Type": "application/json",
            "User-Agent": "warm-handoff",
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(key, message_id, stamp, body),
            "traceparent": traceparent_outside(message.delivery_id),
        }
        return requests.Request("POST", target.url, headers=headers, data=body).prepare()

    def _post(self, target: Target, request: PreparedRequest, now: datetime) -> Answer:
        response = self.adapters.of(target).send(
            request,
            stream=True,
            timeout=(CONNECT_SECONDS, self.read_seconds),
            verify=self.ca_file or True,
        )
        try:
            return _judge(response, now)
        finally:
            _let_go(response)


def body_of(message: Message) -> bytes:
    """Return the body: the same bytes at every attempt."""
    data = {}
    if message.reference is not None:
        data["reference"] = message.reference
    if message.answer_by is not None:
        data["answer_by"] = _instant(message.answer_by)
    content = {
        "type": TYPES[message.template],
        "timestamp": _instant(message.said_at),
        "data": data,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def verdict_of(status: int) -> Verdict:
    """Return what an HTTP status that is no success means.

    410 ends the endpoint. A server's own failure, and a wish to slow down, may pass. Anything
    else, redirects too, says that the address or the message is wrong: tried a few times only.
    """
    if status == HTTPStatus.GONE:
        return Verdict.GONE
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_RECOVER:
        return Verdict.TEMPORARY
    return Verdict.DOUBTFUL


def _judge(response: Response, now: datetime) -> Answer:
    status = response.status_code
    if status // 100 == 2:  # noqa: PLR2004
        return Answer("delivered", Verdict.DELIVERED)
    after = _retry_after(response.headers.get("Retry-After", ""), now)
    return Answer(f"status-{status}", verdict_of(status), after)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """Return the wait in a Retry-After header (RFC 9110, 10.2.3): seconds or a date."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (TypeError, ValueError):
        return None


def _code_of(failure: Exception) -> str:
    if isinstance(failure, failures.ConnectTimeout | failures.ReadTimeout | TimeoutError):
        return "timeout"
    if isinstance(failure, failures.SSLError):
        return "tls-failed"
    if isinstance(failure, NameResolutionError):
        return "name-not-found"
    return "connection-failed"


def _let_go(response: Response) -> None:
    """Give the connection back if the answer was read to its end, else close it."""
    if response.raw.length_remaining == 0:
        response.raw.release_conn()
    else:
        response.raw.close()
