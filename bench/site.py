"""The site of the benches: the sample site with ten partners that take everybody, at once.

Capacity is unlimited, and each of the ten has one contact point: a webhook at the sink.
"""

import base64
import csv
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from services.local.settings import SAMPLE_SITE

PARTNERS = 10
NEED = "trauma-therapy"
COUNTY = "22033"
_Row = dict[str, str]


def make_site(folder: Path, hook: Callable[[int], str]) -> Sequence[str]:
    """Write the site's files; return the ids of the ten partners.

    `hook` names the webhook address of each of them, by its number.
    """
    shutil.copytree(SAMPLE_SITE, folder)
    hsds = folder / "hsds"
    partners = _recipients(hsds)[:PARTNERS]
    _change(hsds / "services.csv", _for_everybody)
    _change(hsds / "wh_services.csv", _for_everything)
    _write(
        folder / "contact_points.csv",
        [_contact_point(partner, hook(number)) for number, partner in enumerate(partners)],
    )
    return partners


def directory(folder: Path) -> list[Mapping[str, object]]:
    """Return the services of a site's partners, each with what it takes."""
    hsds = folder / "hsds"
    languages: dict[str, list[str]] = {}
    for row in _rows(hsds / "languages.csv"):
        languages.setdefault(row["service_id"], []).append(row["code"])
    partners = {row["id"]: row["organization_id"] for row in _rows(hsds / "services.csv")}
    return [
        {
            "partner_id": partners[row["service_id"]],
            "needs": row["needs"].split(";"),
            "counties": row["counties"].split(";") if row["counties"] else [],
            "languages": languages.get(row["service_id"], []),
        }
        for row in _rows(hsds / "wh_services.csv")
    ]


def _recipients(hsds: Path) -> list[str]:
    """Return the organizations that may get referrals and have a service in English."""
    speaking = {row["service_id"] for row in _rows(hsds / "languages.csv") if row["code"] == "en"}
    serving = {r["organization_id"] for r in _rows(hsds / "services.csv") if r["id"] in speaking}
    return [
        row["organization_id"]
        for row in _rows(hsds / "wh_organizations.csv")
        if row["recipient"] == "true"
        and row["data_agreement_until"]
        and row["organization_id"] in serving
    ]


def _for_everybody(row: _Row) -> _Row:
    return row | {"status": "active", "minimum_age": "", "maximum_age": ""}


def _for_everything(row: _Row) -> _Row:
    return row | {"needs": NEED, "counties": "", "capacity": "", "paused": ""}


def _contact_point(partner: str, address: str) -> _Row:
    return {
        "endpoint_id": str(uuid4()),
        "owner_kind": "partner",
        "owner_id": partner,
        "channel": "webhook",
        "address": address,
        "secret": f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
    }


def _change(file: Path, change: Callable[[_Row], _Row]) -> None:
    _write(file, [change(row) for row in _rows(file)])


def _rows(file: Path) -> list[_Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(file: Path, rows: Sequence[_Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
