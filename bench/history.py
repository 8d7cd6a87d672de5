"""A long history, made in minutes: a hundred referrals take their real way, then are copied.

Each copy has ids, references and keys of its own and lies a little further back, sixty days in
all; whose they are (partners, members, contact points) stays. Of what is purged with time only
what would still be there is copied.
"""

import os
from collections.abc import Mapping, Sequence

import psycopg

from services.local.postgres import LocalPostgres

Tables = Mapping[str, Sequence[str]]
"""The tables that grow with each referral, by their database."""

GROWING: Tables = {
    "intake": (
        "person",
        "submission",
        "referral",
        "story",
        "release",
        "release_signature",
        "offer",
        "referral_event",
        "idempotency",
        "outbox",
        "stream_position",
    ),
    "intake_keys": ("data_key",),
    "routing": (
        "referral",
        "release",
        "offer",
        "slot_hold",
        "decision",
        "escalation",
        "referral_event",
        "outbox",
        "stream_position",
    ),
    "notifications": (
        "referral_thread",
        "closed_offer",
        "delivery",
        "send_again",
        "outbox",
        "stream_position",
    ),
}
_KEPT = frozenset(
    {
        *("partner_id", "service_id", "endpoint_id", "organization_id", "chosen"),
        *("submitted_by", "by_member", "answered_by", "revoked_by", "asked_by"),
    }
)
_REFERENCES = frozenset({"reference", "offer_reference"})
_DAYS = 60
_PURGED_AFTER_DAYS = {"outbox": 6, "idempotency": 6, "delivery": 29, "closed_offer": 29}
_FOR_FILLING = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
}


def multiply(postgres: LocalPostgres, times: int) -> None:
    """Copy every referral of the databases `times` times; nothing else may use them meanwhile."""
    with _admin(postgres) as admin:
        for name, value in _FOR_FILLING.items():
            admin.execute(f"alter system set {name} = '{value}'")
    _restart(postgres)
    for database, tables in GROWING.items():
        with psycopg.connect(postgres.dsn(database)) as connection:
            _multiply(connection, tables, times)
            if database == "routing":
                connection.execute(_COUNT_PLACES)
    with _admin(postgres) as admin:
        admin.execute("alter system reset all")
    _restart(postgres)
    os.sync()
    for database in GROWING:
        with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
            connection.execute("vacuum analyze")  # what autovacuum had done by then


def _admin(postgres: LocalPostgres) -> psycopg.Connection:
    return psycopg.connect(postgres.dsn("postgres"), autocommit=True)


def _restart(postgres: LocalPostgres) -> None:
    postgres.stop()
    postgres.start()


def _multiply(connection: psycopg.Connection, tables: Sequence[str], times: int) -> None:
    """Write the tables anew in one transaction, without a log, their indexes at the end."""
    connection.execute("set session_replication_role = replica")  # no triggers
    for table in tables:
        seed = f"create temp table seed_{table} as select * from public.{table}"  # noqa: S608
        connection.execute(seed)
    connection.execute(f"truncate {', '.join(tables)}")
    for table in tables:
        connection.execute(_INDEXES_REST, (table,))
        connection.execute(_copies(connection, table, times))
        connection.execute(f"reindex table {table}")


def _copies(connection: psycopg.Connection, table: str, times: int) -> str:
    columns = connection.execute(_COLUMNS, (table,)).fetchall()
    names = ", ".join(name for name, _ in columns)
    copied = ", ".join(_copy(name, kind, times) for name, kind in columns)
    last = times * _PURGED_AFTER_DAYS.get(table, _DAYS) // _DAYS - 1
    own = _OF_REFERRALS.get(table, "true")
    return f"""
    insert into {table} ({names}) select {names} from seed_{table}
    union all select {copied} from generate_series(1, {last}) as n, seed_{table} where {own}
    """  # noqa: S608  (names from the catalogue)


def _copy(name: str, kind: str, times: int) -> str:
    """Return the expression of one column in the copy number n."""
    if kind == "uuid" and name not in _KEPT:
        return f"md5({name}::text || n)::uuid"
    if name == "key":
        return "md5(key || n)::uuid::text"
    if name in _REFERENCES:
        return f"case {name} when '' then '' else 'WH-' || upper(left(md5({name} || n), 12)) end"
    if kind == "timestamp with time zone":
        back = f"n * interval '{_DAYS} days' / {times}"
        return f"case when {name} < now() then {name} - {back} else {name} end"
    return name


_COLUMNS = """
select column_name, data_type from information_schema.columns
where table_schema = 'public' and table_name = %s and is_identity = 'NO' order by ordinal_position
"""
# Not what is told of partners: their number does not grow.
_OF_REFERRALS = {
    "outbox": "topic <> 'routing.partner'",
    "stream_position": "key in (select key from seed_outbox where topic <> 'routing.partner')",
}
_INDEXES_REST = """
update pg_index set indisready = false, indisvalid = false where indrelid = %s::regclass
"""
_COUNT_PLACES = """
update service_slot s set held = (
  select count(*) from slot_hold h where h.service_id = s.service_id and released_at is null)
"""
