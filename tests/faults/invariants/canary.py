"""An identity typed into every intake is sealed in intake and nowhere else."""

from collections.abc import Iterator

import psycopg

from services.databases import SERVICES
from tests.faults.evidence import Evidence
from tests.faults.load import CANARIES

_TABLES = """
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema')
"""
_NEEDLES = [*CANARIES, *(canary.encode().hex() for canary in CANARIES)]


def nothing_identifying_is_in_clear(found: Evidence) -> Iterator[str]:
    """Search topics, logs, databases, mails and webhooks, as text and as bytes."""
    for place, content in _contents(found):
        text = content.decode(errors="replace").casefold()
        yield from (f"{needle} in {place}" for needle in _NEEDLES if needle.casefold() in text)
    for database in (*SERVICES, "intake_keys"):
        yield from _in_database(found.system.dsn(database), database)


def _contents(found: Evidence) -> Iterator[tuple[str, bytes]]:
    for record in found.records:
        headers = b" ".join(name.encode() + b" " + value for name, value in record.headers)
        yield f"topic {record.topic}", record.key + headers + record.value
    servers = (found.system.kafka.folder, found.system.postgres.folder)
    of_servers = [log for folder in servers for log in folder.glob("*.log")]
    for log in [*found.system.logs.iterdir(), *of_servers]:
        yield f"log {log.name}", log.read_bytes()
    yield from (("webhook", call.path.encode() + call.body) for call in found.calls)
    yield from (("mail", mail.content) for mail in found.mails)


def _in_database(dsn: str, database: str) -> Iterator[str]:
    with psycopg.connect(dsn) as connection:
        for (table,) in connection.execute(_TABLES).fetchall():
            statement = f"select count(*) from {table} t where t::text ~* %s"
            number = connection.execute(statement, ("|".join(_NEEDLES),)).fetchone()
            if number and number[0]:
                yield f"{number[0]} rows of {database}: {table}"
