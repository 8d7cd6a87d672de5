"""Intake's part of the site's files: who is a member of this service."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from shared.db import Tx
from shared.db.members import Member, save_members
from shared.errors import Rejected
from shared.site import load_site

SERVICE: Final = "intake"
MEMBERS: Final = "members.csv"
OPERATOR: Final = "operator"
ROLES: Final = frozenset({"advocate", "agency_admin", "client", OPERATOR})


def load_site_part(tx: Tx, folder: Path, *, issuer: str, agency: str) -> None:
    """Make the agency's members in the site's file, and the operators, the only ones.

    `issuer` is the address of the identity provider that signs them in.

    Raises:
        Rejected: a row cannot be used, or somebody would hold roles that may not be combined;
            nothing is changed.

    """
    organization_id = load_site(folder).agency(agency).organization_id
    faults: dict[str, list[str]] = {}
    members = list(_members(folder / MEMBERS, issuer, faults))
    if faults:
        raise Rejected("The site's members cannot be loaded. Nothing was changed.", faults)
    own = [m for m in members if m.role == OPERATOR or m.organization_id == organization_id]
    save_members(tx, own)


def _members(file: Path, issuer: str, faults: dict[str, list[str]]) -> Iterator[Member]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            if row.get("service") != SERVICE:
                continue
            try:
                yield _member(row, issuer)
            except (KeyError, TypeError, ValueError):
                place = f"{file.name}, row {number}"
                faults[place] = ["has an empty, missing or wrong column"]


def _member(row: Mapping[str, str], issuer: str) -> Member:
    if row["role"] not in ROLES or not row["subject"]:
        raise ValueError
    return Member(
        member_id=UUID(row["member_id"]),
        issuer=issuer,
        subject=row["subject"],
        name=row["name"],
        role=row["role"],
        organization_id=UUID(row["organization_id"]),
    )
