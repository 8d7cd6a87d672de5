"""An identity typed into every intake is sealed in intake and nowhere else."""

import re
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

import psycopg

from tests.faults.evidence import Evidence
from tests.faults.load import CANARIES

_TABLES = """
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema')
"""


def _in_base64(text: str) -> Iterator[str]:
    """Give what is always the same of a text in base64, for each place where it may begin."""
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        whole = (shift + len(text.encode())) // 3 * 4
        yield b64encode(b"\0" * shift + text.encode()).decode()[first:whole]


_NEEDLES = [
    *CANARIES,
    *(canary.encode().hex() for canary in CANARIES),
    *(needle for canary in CANARIES for needle in _in_base64(canary)),
]


def nothing_identifying_is_in_clear(found: Evidence) -> Iterator[str]:
    """Search topics, logs, databases, mails and webhooks, as text and as bytes."""
    for place, content in _contents(found):
        text = content.decode(errors="replace").casefold()
        yield from (f"{needle} in {place}" for needle in _NEEDLES if needle.casefold() in text)
    for name, dsn in found.databases.items():
        yield from _in_database(dsn, name)


def _contents(found: Evidence) -> Iterator[tuple[str, bytes]]:
    for record in found.records:
        headers = b" ".join(name.encode() + b" " + value for name, value in record.headers)
        yield f"topic {record.topic}", record.key + headers + record.value
    for log in found.logs:
        yield f"log {log.name}", log.read_bytes()
    yield from (("webhook", call.path.encode() + call.body) for call in found.calls)
    for mail in found.mails:
        yield "mail", mail.content
        yield from (("mail", text) for text in _texts(message_from_bytes(mail.content)))


def _texts(mail: Message) -> Iterator[bytes]:
    """Give the parts of a mail as they are read."""
    for part in mail.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content


def _in_database(dsn: str, database: str) -> Iterator[str]:
    with psycopg.connect(dsn) as connection:
        for (table,) in connection.execute(_TABLES).fetchall():
            statement = f"select count(*) from {table} t where t::text ~* %s"
            number = connection.execute(
                statement, ("|".join(map(re.escape, _NEEDLES)),)
            ).fetchone()
            if number and number[0]:
                yield f"{number[0]} rows of {database}: {table}"
