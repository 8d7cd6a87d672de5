"""Machine clients of a demo: who may call the APIs, with which secret."""

import csv
from collections.abc import Mapping
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from services.local.folder import Folder

AGENCY_SYSTEM = "agency-system"
INTAKE = "intake-brva"
_PARTNERS = "partner-systems"
_ENDING = "-system"


def add_partner_systems(members: Path) -> None:
    """Give each partner of the demo's copy of the site a system that may answer its offers."""
    with members.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    systems = [
        row
        | {
            "member_id": str(uuid5(NAMESPACE_URL, row["member_id"])),
            "role": "client",
            "subject": f"{row['subject']}{_ENDING}",
            "name": "A partner's own system",
        }
        for row in rows
        if row["role"] == "partner"
    ]
    with members.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, *systems])


def partner_systems(members: Path) -> list[str]:
    """Return the client ids of the partners' systems."""
    with members.open(encoding="utf-8", newline="") as file:
        subjects = [row["subject"] for row in csv.DictReader(file) if row["role"] == "client"]
    return [subject for subject in subjects if subject not in {AGENCY_SYSTEM, INTAKE}]


def client_secrets(folder: Folder) -> Mapping[str, str]:
    """Return the secret of each machine client."""
    shared = folder.secret(_PARTNERS)
    partners = dict.fromkeys(partner_systems(folder.site / "members.csv"), shared)
    return partners | {name: folder.secret(name) for name in (AGENCY_SYSTEM, INTAKE)}
