"""The site of a run: the sample's partners with more places, told by webhook and by mail."""

import csv
from pathlib import Path

from services.local.settings import Place, copy_site
from tests.faults.receivers import SECRET

PLACES_TIMES = 5
_BY_WEBHOOK = "webhook"


def write_site(place: Place, hooks: str) -> None:
    """Copy the sample site; every partner has a webhook at `hooks`, every third one mail too."""
    copy_site(place)
    _tell_by_webhook(place.folder.site / "contact_points.csv", hooks)
    _widen(place.folder.site / "hsds" / "wh_services.csv")


def _tell_by_webhook(file: Path, hooks: str) -> None:
    rows = [row for row in _read(file) if row["channel"] == "email"]
    partners = [row for row in rows if row["owner_kind"] == "partner"]
    others = [row for row in rows if row["owner_kind"] != "partner"]
    told = [
        row | {"channel": _BY_WEBHOOK, "address": f"{hooks}/{number}", "secret": SECRET}
        for number, row in enumerate(partners)
    ]
    mailed = [
        row | {"endpoint_id": row["endpoint_id"][:-4] + f"{number:04x}"}
        for number, row in enumerate(partners)
        if number % 3 == 0
    ]
    _write(file, [*told, *mailed, *others])


def _widen(file: Path) -> None:
    rows = _read(file)
    for row in rows:
        if row["capacity"]:
            row["capacity"] = str(PLACES_TIMES * int(row["capacity"]))
    _write(file, rows)


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _write(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
