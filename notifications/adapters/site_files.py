"""Contact points and operators from the site's files, the whole of them at each load."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from notifications.adapters.secrets_at_rest import Safe
from notifications.adapters.signing import WrongSecret, key_of
from notifications.domain.notices import Owner
from shared.db import Tx
from shared.db.members import Member, save_members
from shared.errors import Rejected

SERVICE: Final = "notifications"
CONTACT_POINTS: Final = "contact_points.csv"
MEMBERS: Final = "members.csv"
_COLUMNS: Final = {
    CONTACT_POINTS: ("endpoint_id", "owner_kind", "owner_id", "channel", "address", "secret"),
    MEMBERS: ("member_id", "service", "role", "organization_id", "subject", "name"),
}


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One row of the file, checked."""

    endpoint_id: UUID
    owner_kind: Owner
    owner_id: UUID
    channel: str
    address: str
    secret: str


def load_site_part(tx: Tx, folder: Path, *, issuer: str, safe: Safe | None = None) -> None:
    """Make the files' contact points and members the only ones; a disabled endpoint opens again.

    Raises:
        Rejected: a file cannot be used; each fault is named by file, row and column, and nothing
            is changed.

    """
    faults: dict[str, list[str]] = {}
    points = list(_contact_points(folder / CONTACT_POINTS, faults))
    members = list(_members(folder / MEMBERS, issuer, faults))
    if faults:
        raise Rejected("The site's files cannot be loaded.", faults)
    save_members(tx, members)
    _save(tx, points, safe or Safe())


def _save(tx: Tx, points: list[ContactPoint], safe: Safe) -> None:
    tx.execute("update contact_point set active = false")
    with tx.cursor() as cursor:
        cursor.executemany(
            _SAVE,
            [
                (
                    point.endpoint_id,
                    point.owner_kind,
                    point.owner_id,
                    point.channel,
                    point.address,
                    safe.seal(point.endpoint_id, point.secret) if point.secret else None,
                )
                for point in points
            ],
        )


def _contact_points(file: Path, faults: dict[str, list[str]]) -> Iterator[ContactPoint]:
    for place, row in _rows(file, faults):
        wrong = _wrong_columns(row)
        for column, what in wrong.items():
            faults.setdefault(f"{place}.{column}", []).append(what)
        if not wrong:
            yield ContactPoint(
                UUID(row["endpoint_id"]),
                Owner(row["owner_kind"]),
                UUID(row["owner_id"]),
                row["channel"],
                row["address"],
                row["secret"],
            )


def _wrong_columns(row: Mapping[str, str]) -> dict[str, str]:
    wrong = {
        column: "must be a UUID"
        for column in ("endpoint_id", "owner_id")
        if not _is_uuid(row[column])
    }
    if row["owner_kind"] not in set(Owner):
        wrong["owner_kind"] = f"must be one of {', '.join(Owner)}"
    if row["channel"] == "email":
        if row["address"].count("@") != 1 or any(map(str.isspace, row["address"])):
            wrong["address"] = "must be a mail address"
    elif row["channel"] == "webhook":
        wrong |= _wrong_webhook(row)
    else:
        wrong["channel"] = "must be email or webhook"
    return wrong


def _wrong_webhook(row: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    if not row["address"].startswith(("https://", "http://")):
        wrong["address"] = "must be a web address"
    try:
        key_of(row["secret"])
    except WrongSecret as reason:
        wrong["secret"] = str(reason)
    return wrong


def _members(file: Path, issuer: str, faults: dict[str, list[str]]) -> Iterator[Member]:
    for place, row in _rows(file, faults):
        if row["service"] != SERVICE:
            continue
        if not _is_uuid(row["member_id"]) or not _is_uuid(row["organization_id"]):
            faults.setdefault(place, []).append("member_id and organization_id must be UUIDs")
            continue
        yield Member(
            member_id=UUID(row["member_id"]),
            issuer=issuer,
            subject=row["subject"],
            name=row["name"],
            role=row["role"],
            organization_id=UUID(row["organization_id"]),
        )


def _rows(file: Path, faults: dict[str, list[str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each row with its place ("contact_points.csv.7", the line of the file)."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, restval="")
            if tuple(reader.fieldnames or ()) != _COLUMNS[file.name]:
                faults[file.name] = [f"the columns must be {', '.join(_COLUMNS[file.name])}"]
                return
            for row in reader:
                place = f"{file.name}.{reader.line_num}"
                if None in row:
                    faults[place] = ["there are more values than columns"]
                    continue
                yield place, {name: value.strip() for name, value in row.items()}
    except (OSError, UnicodeDecodeError):
        faults[file.name] = ["cannot be read"]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


_SAVE = """
insert into contact_point (endpoint_id, owner_kind, owner_id, channel, address, secret)
values (%s, %s, %s, %s, %s, %s)
on conflict (endpoint_id) do update set owner_kind = excluded.owner_kind,
  owner_id = excluded.owner_id, channel = excluded.channel, address = excluded.address,
  secret = excluded.secret, active = true, disabled_at = null
"""
