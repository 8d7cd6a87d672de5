"""What the three services have in common here: their settings, their members, their operator."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import UUID, uuid4

import psycopg
from flask import Flask

from shared.http.web import web
from tests.support.databases import TestDatabase
from tests.support.web import add_member, web_settings

URL = "http://localhost"
OURS, THEIRS, NEXT = (UUID(int=number) for number in (0xA1, 0xA2, 0xA3))
"""The partner whose staff ask, another one, and the next that a person released a referral to."""

Args = Mapping[str, object]


class Place(Protocol):
    """One service, as production wires it, with what can be asked for by a path's arguments."""

    @property
    def app(self) -> Flask:
        """The whole app."""

    @property
    def database(self) -> TestDatabase:
        """The service's database."""

    def own(self, route: str) -> Args:
        """Make something of the asker's own, in the state that the route needs."""

    def others(self, route: str) -> Sequence[Args]:
        """Make the same of somebody else, and name something that is nowhere."""

    def form(self, route: str, args: Args) -> Mapping[str, Any]:
        """Return a form or body that the route takes."""


def settings_of(database: TestDatabase, issuer: str) -> dict[str, Any]:
    """Return what every web process is set to."""
    found = web_settings(database=database.web, public_url=URL, oidc_issuer=issuer)
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


@contextmanager
def closed_after(app: Flask) -> Iterator[Flask]:
    """Give an app whose connections end with the test."""
    yield app
    with app.app_context():
        web().pool.close()


def add_staff(
    database: TestDatabase, issuer: str, **organizations: tuple[str, UUID]
) -> dict[str, UUID]:
    """Add members, subject=(role, organization), and one that was removed; return their ids."""
    found = {
        subject: add_member(database.owner, subject, role, issuer=issuer, organization=of)
        for subject, (role, of) in organizations.items()
    }
    with psycopg.connect(database.owner) as connection:
        connection.execute("update member set active = false where subject like 'removed%'")
    return found


STREAM = {"consumer": "intake", "source": "/routing/baton-rouge", "key": "held-key"}
_ORDER = {
    "action": "dry-run",
    "reason": "cause-mended",
    "per_second": "5",
    "until": "2100-01-01T00:00:00+00:00",
}
OPERATION: Mapping[str, Mapping[str, str]] = {
    "POST /ops/parked": _ORDER,
    "POST /ops/gaps": {**_ORDER, **STREAM},
    "POST /ops/outbox": {**_ORDER, "topic": "refused-topic"},
}
"""What an operator's forms say, in every service."""


def for_an_operator(database: TestDatabase) -> Args:
    """Make what an operator acts upon, in every service."""
    parked_id, batch_id = uuid4(), uuid4()
    with psycopg.connect(database.admin) as connection:
        connection.execute(
            "insert into parked (parked_id, consumer, topic, key, headers, reason)"
            " values (%s, 'intake', 'topic', 'key', '{}', 'reason')",
            (parked_id,),
        )
        connection.execute(
            "insert into repair_batch (batch_id, per_second) values (%s, 5)", (batch_id,)
        )
        connection.execute(
            "insert into repair (batch_id, dry_run, action, consumer, parked_id, reason, asked_by,"
            " done_at, outcome) values (%s, true, 'replay', 'intake', %s, 'cause-mended', %s,"
            " now(), 'replayed')",
            (batch_id, parked_id, uuid4()),
        )
        connection.execute(
            "insert into held (consumer, source, key, sequence, type, topic, headers, payload)"
            " values (%(consumer)s, %(source)s, %(key)s, 2, 'type', 'topic', '{}', '')"
            " on conflict do nothing",
            STREAM,
        )
        connection.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload,"
            " failed_at, failure) values (%s, 'refused-topic', 'key', 1, 'type', '{}', '',"
            " now(), 'too-large')",
            (uuid4(),),
        )
    return {"batch_id": batch_id, "name": "no-such-file"}
