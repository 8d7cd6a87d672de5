"""The tasks: `route`, then `notify`.

At least once (acknowledged late), no results, no events: the settings of a team that knows Celery.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import psycopg
import requests
from celery import Celery

from bench.peers.celery_pipeline import matching, settings

_SECRET = b"a secret of the bench"
_SECONDS = 5.0

app = Celery("bench.peers.celery_pipeline", broker=settings.REDIS)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_serializer="json",
    worker_prefetch_multiplier=8,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    task_routes={"route": {"queue": "route"}, "notify": {"queue": "notify"}},
)


@app.task(name="route")
def route(intake_id: str, facts: Mapping[str, Any]) -> None:
    """Choose a partner."""
    partner = matching.choose(facts, _partners())
    if partner is None:
        _database().execute(_MOVE, ("unmatched", None, intake_id))
        return
    _database().execute(_MOVE, ("routed", partner.partner_id, intake_id))
    notify.delay(intake_id, partner.hook)


@app.task(name="notify", autoretry_for=(OSError,), retry_backoff=True, max_retries=5)
def notify(intake_id: str, hook: str) -> None:
    """Tell the partner."""
    body = json.dumps({"type": "referral.offered", "data": {"reference": intake_id}}).encode()
    signature = hmac.new(_SECRET, body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    _session().post(hook, data=body, headers=headers, timeout=_SECONDS).raise_for_status()
    _database().execute(_FINISH, (intake_id,))


# Made in the forked process that uses them first, and kept there.
@cache
def _database() -> psycopg.Connection:
    return psycopg.connect(settings.DATABASE, autocommit=True, prepare_threshold=0)


@cache
def _session() -> requests.Session:
    return requests.Session()


@cache
def _partners() -> Sequence[matching.Partner]:
    return matching.load(settings.PARTNERS)


_MOVE = "update intake set status = %s, partner_id = %s, updated_at = now() where id = %s"
_FINISH = "update intake set status = 'notified', updated_at = now() where id = %s"
