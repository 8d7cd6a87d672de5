"""The match preview: facts only, answered within half a second or not at all."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict
from time import monotonic
from typing import Any, Final
from uuid import UUID

import requests

from intake.application.ports import Fit, MatchPreview, Reason
from intake.domain.facts import Facts
from shared.log import get_logger, traceparent

SECONDS: Final = 0.5
_AT_ONCE: Final = 8
_TOKEN_SECONDS: Final = 2.0
_SPARE_SECONDS: Final = 30.0
_log = get_logger(__name__)


class WithinTime:
    """Asks another preview and waits for a while only, whatever it is that lets it wait."""

    def __init__(self, preview: MatchPreview, seconds: float = SECONDS) -> None:
        """Ask `preview`; what comes too late is dropped."""
        self._preview = preview
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_AT_ONCE, "preview")

    def preview(self, facts: Facts, barred: Sequence[UUID]) -> Sequence[Fit] | None:
        """Return a verdict for every partner, or None when time is over."""
        ask = copy_context().run
        asked = self._threads.submit(ask, self._preview.preview, facts, barred)
        try:
            return asked.result(self._seconds)
        except TimeoutError:
            asked.cancel()
            _log.warning("preview-too-late")
            return None


class ClientToken:
    """An access token of a machine client, kept until shortly before it ends (RFC 6749, 4.4)."""

    def __init__(self, issuer: str, client_id: str, secret: str, audience: str) -> None:
        """Ask nothing yet."""
        self._issuer = issuer.rstrip("/")
        self._credentials = (client_id, secret)
        self._audience = audience
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def get(self) -> str:
        """Return a token that holds; raises requests.RequestException when there is none."""
        with self._lock:
            if monotonic() > self._ends - _SPARE_SECONDS:
                self._renew()
            return self._token

    def _renew(self) -> None:
        address = f"{self._issuer}/.well-known/openid-configuration"
        about = requests.get(address, timeout=_TOKEN_SECONDS)
        about.raise_for_status()
        answer = requests.post(
            about.json()["token_endpoint"],
            data={"grant_type": "client_credentials", "audience": self._audience},
            auth=self._credentials,
            timeout=_TOKEN_SECONDS,
        )
        answer.raise_for_status()
        found = answer.json()
        self._token = str(found["access_token"])
        self._ends = monotonic() + float(found.get("expires_in", 60))


class HttpPreview:
    """Asks routing's API; None when it does not answer in time or answers nonsense."""

    def __init__(self, routing_url: str, token: ClientToken) -> None:
        """Ask at `routing_url`."""
        self._address = f"{routing_url.rstrip('/')}/api/previews"
        self._token = token

    def preview(self, facts: Facts, barred: Sequence[UUID]) -> Sequence[Fit] | None:
        """Return a verdict for every partner, or None."""
        try:
            answer = requests.post(
                self._address,
                json=preview_body(facts, barred),
                headers={
                    "Authorization": f"Bearer {self._token.get()}",
                    "traceparent": traceparent(),
                },
                timeout=SECONDS,
                allow_redirects=False,
            )
            answer.raise_for_status()
            return fits_of(answer.json())
        except (requests.RequestException, KeyError, TypeError, ValueError) as failure:
            _log.warning("no-preview", exc_info=failure)
            return None


def preview_body(facts: Facts, barred: Sequence[UUID]) -> dict[str, Any]:
    """Return what is asked: codes only."""
    return {"facts": asdict(facts), "barred_partners": [str(partner) for partner in barred]}


def fits_of(answer: Mapping[str, Any]) -> list[Fit]:
    """Return the verdicts of an answer."""
    return [
        Fit(
            partner_id=UUID(str(found["partner_id"])),
            fits=found["fits"],
            rank=found["rank"],
            reasons=tuple(
                Reason(rule=r["rule"], passed=r["passed"], value=str(r["value"] or ""))
                for r in found["reasons"]
            ),
            services=tuple(UUID(str(service)) for service in found["services"]),
            expected_first_contact=found["expected_first_contact"] or "",
        )
        for found in answer["partners"]
    ]
