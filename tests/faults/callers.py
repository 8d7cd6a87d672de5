"""Machine clients that do not lose patience: a call is made again until it is answered."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import requests

_SECONDS = 20.0
_PAUSE = 0.25
_TOKEN_SECONDS = 300.0
_ASK_AGAIN = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,  # a process whose clock is off takes no token
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


class GaveUp(Exception):
    """No answer came until the end of the run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API answered. `failed_at`: when the first try failed, None if it did not."""

    status: int
    body: Any
    failed_at: float | None = None


@dataclass(slots=True)
class Caller:
    """A machine client of one API. `stop` ends its patience; `unexpected` counts bad answers."""

    issuer: str
    url: str
    client: str
    secret: str = field(repr=False)
    stop: threading.Event
    unexpected: dict[int, int] = field(default_factory=dict)
    tries: int = 0
    _session: requests.Session = field(default_factory=requests.Session, repr=False)
    _token_at: float = float("-inf")

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def get(self, path: str) -> Answer:
        """Return what the API answers."""
        return self._until_answered("GET", path, None, {})

    def post(
        self, path: str, body: Mapping[str, object] | None = None, *, key: str = ""
    ) -> Answer:
        """Post with an idempotency key, as often as it takes; the key makes that harmless."""
        headers = {"Idempotency-Key": f'"{key}"'} if key else {}
        return self._until_answered("POST", path, body, headers)

    def post_once(self, path: str, body: Mapping[str, object] | None = None) -> Answer | None:
        """Post once; None when no answer came, so that nobody knows whether it took effect."""
        try:
            return self._call("POST", path, body, {})
        except requests.RequestException:
            return None

    def _until_answered(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Answer:
        failed_at = None
        while not self.stop.is_set():
            try:
                answer = self._call(method, path, body, headers)
            except requests.RequestException:
                answer = None
            if answer is not None and not _is_passing(answer):
                return replace(answer, failed_at=failed_at)
            failed_at = failed_at or time.time()
            time.sleep(_PAUSE)
        raise GaveUp(f"{method} {path}")

    def _call(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        if time.monotonic() - self._token_at > _TOKEN_SECONDS:
            self._renew()
        self.tries += 1
        answer = self._session.request(
            method, f"{self.url}/api{path}", json=body, headers=dict(headers), timeout=_SECONDS
        )
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            self.unexpected[answer.status_code] = self.unexpected.get(answer.status_code, 0) + 1
        return Answer(answer.status_code, answer.json())

    def _renew(self) -> None:
        answer = requests.post(
            f"{self.issuer}/oauth2/token",
            data={"grant_type": "client_credentials", "audience": self.url},
            auth=(self.client, self.secret),
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._token_at = time.monotonic()


def _is_passing(answer: Answer) -> bool:
    """Tell whether the same call may be answered otherwise in a moment."""
    busy = answer.status == HTTPStatus.CONFLICT and answer.body.get("state") == "in-progress"
    return busy or answer.status in _ASK_AGAIN
