"""Routing's part of a site's files: its members, and the directory."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

from routing.adapters.desk import Units
from routing.adapters.hsds import read_package
from routing.application.directory import import_directory
from shared.db import Tx, now
from shared.db.members import Member, save_members
from shared.errors import Rejected
from shared.site import Site, load_site

SERVICE: Final = "routing"
MEMBERS: Final = "members.csv"
DIRECTORY: Final = "hsds"
_ROLES: Final = ("partner", "partner_admin", "coordinator", "operator", "client")
_COLUMNS: Final = ("member_id", "service", "role", "organization_id", "subject", "name")


def load_site_part(tx: Tx, folder: Path, *, issuer: str) -> None:
    """Make the files' directory and members the site's only ones.

    Raises:
        Rejected: a file cannot be used; each fault is named by file, row and column, and nothing
            is changed.

    """
    site = load_site(folder)
    partners = read_package(folder / DIRECTORY, site)
    members = _members(folder, site, issuer)
    save_members(tx, members)
    with Units(site).within(tx, now(tx)) as work:
        import_directory(partners, work)


def _members(folder: Path, site: Site, issuer: str) -> list[Member]:
    faults: dict[str, list[str]] = {}
    found = list(_read_members(folder / MEMBERS, site, issuer, faults))
    if faults:
        raise Rejected("The site's members cannot be loaded. Nothing was changed.", faults)
    return found


def _read_members(
    file: Path, site: Site, issuer: str, faults: dict[str, list[str]]
) -> Iterator[Member]:
    try:
        stream = file.open(encoding="utf-8-sig", newline="")
    except OSError:
        faults[file.name] = ["is missing"]
        return
    with stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            if any(row.get(column) in {None, ""} for column in _COLUMNS):
                faults[f"{file.name}, row {number}"] = ["has an empty or missing column"]
            elif row["service"] == SERVICE:
                yield from _member(row, site, issuer, (f"{file.name}, row {number}", faults))


def _member(
    row: dict[str, str], site: Site, issuer: str, place: tuple[str, dict[str, list[str]]]
) -> Iterator[Member]:
    where, faults = place
    try:
        member_id, organization = UUID(row["member_id"]), UUID(row["organization_id"])
    except ValueError:
        faults[where] = ["member_id or organization_id is not a UUID"]
        return
    if row["role"] not in _ROLES:
        faults[f"{where}, role"] = [f"is not one of: {', '.join(_ROLES)}"]
    elif row["role"] == "coordinator" and organization != site.host.organization_id:
        faults[f"{where}, organization_id"] = ["a coordinator must belong to the site's host"]
    else:
        yield Member(member_id, issuer, row["subject"], row["name"], row["role"], organization)
