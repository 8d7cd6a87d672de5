"""What the outside shows after a run: rows, records, webhooks, mails and logs, read once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from services.databases import SERVICES
from tests.faults.load import Ledger
from tests.faults.looking import Look
from tests.faults.receivers import Call, Mail
from tests.faults.records import Kept, Poison, read_all
from tests.faults.run import Outage, Run

Row = Mapping[str, Any]
_TABLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "intake": (
        ("referral", "select * from referral"),
        ("release", "select * from release"),
        ("timeline", "select * from referral_event order by line"),
        ("disclosure", "select * from disclosure_log"),
    ),
    "routing": (
        ("referral", "select * from referral"),
        ("release", "select * from release"),
        ("offer", "select * from offer order by offered_at"),
        ("hold", "select * from slot_hold"),
        ("slot", "select * from service_slot"),
        ("decision", "select * from decision order by decided_at"),
        ("timeline", "select * from referral_event order by event_id"),
    ),
    "notifications": (
        (
            "delivery",
            """select d.*, c.channel, c.address
            from delivery d join contact_point c using (endpoint_id)""",
        ),
        ("contact", "select * from contact_point"),
    ),
}
_EVERYWHERE = (
    (
        "outbox",
        """select event_id::text, topic, key, sequence, type, sent_at,
          convert_from(payload, 'utf8')::jsonb as data, headers->>'ce_source' as source
        from outbox where failed_at is null order by id""",
    ),
    ("unsendable", "select event_id::text, failure from outbox where failed_at is not null"),
    ("held", "select * from held"),
    ("parked", "select * from parked"),
    ("position", "select * from stream_position"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that invariants look at.

    `rows` are by service and table, `records` by topic's order; `refused` counts a mail server's
    refusals by recipient; `databases` are connection strings, by name.
    """

    ledger: Ledger
    outages: Sequence[Outage]
    poisons: Sequence[Poison]
    oversize: Mapping[str, str]
    rows: Mapping[tuple[str, str], Sequence[Row]]
    records: Sequence[Kept]
    calls: Sequence[Call]
    mails: Sequence[Mail]
    refused: Mapping[str, int]
    logs: Sequence[Path]
    databases: Mapping[str, str]
    looks: Sequence[Look]

    def of(self, service: str, table: str) -> Sequence[Row]:
        """Return the rows of a table."""
        return self.rows[service, table]

    def events(self, service: str) -> Mapping[str, Sequence[Row]]:
        """Return what a service told of each key, by sequence."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.of(service, "outbox"):
            found[row["key"]].append(row)
        return {key: sorted(rows, key=lambda row: row["sequence"]) for key, rows in found.items()}


def gather(run: Run) -> Evidence:
    """Read everything."""
    rows: dict[tuple[str, str], Sequence[Row]] = {}
    for service in SERVICES:
        with psycopg.connect(run.system.dsn(service), row_factory=dict_row) as connection:
            for table, statement in (*_TABLES[service], *_EVERYWHERE):
                rows[service, table] = connection.execute(statement).fetchall()
    system = run.system
    servers = (system.kafka.folder, system.postgres.folder)
    return Evidence(
        ledger=run.load.ledger,
        outages=run.outages,
        poisons=run.poisons,
        oversize=run.oversize,
        rows=rows,
        records=read_all(system.kafka.servers),
        calls=list(system.webhooks.calls),
        mails=list(system.mail.mails),
        refused=system.mail.refused,
        logs=[*system.logs.iterdir(), *(log for at in servers for log in at.glob("*.log"))],
        databases={name: system.dsn(name) for name in (*SERVICES, "intake_keys")},
        looks=list(run.load.looks),
    )


def verb(row: Row) -> str:
    """Return the past verb of an event's type."""
    return str(row["type"]).split(".")[2]


def is_live(offer: Row) -> bool:
    """Tell whether its partner holds the referral."""
    return offer["state"] in {"offered", "accepted"}


def repeated(things: Iterable[object]) -> Iterator[str]:
    """Give what is there more than once."""
    for thing, number in Counter(things).items():
        if number > 1:
            yield f"{number} times: {thing}"
