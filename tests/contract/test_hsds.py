"""Directories as HSDS packages: the sample site's, the standard's own example, and broken ones."""

import csv
import json
import os
import shutil
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from uuid import uuid4

import pytest

from routing.adapters.hsds import MalformedPackage, read_package
from routing.domain.model import Opening, Partner
from shared.site import load_site

SITE = load_site(Path("deploy/sites/baton-rouge"))
SAMPLE = Path("deploy/sites/baton-rouge/hsds")
SHARED_DATA = Path(os.environ.get("SHARED_DATA", "../shared/data"))
STANDARD = SHARED_DATA / "hsds-3.0" / "csv"
Change = Callable[[list[dict[str, str]]], object]

ORGANIZATION = str(uuid4())
SERVICE = str(uuid4())
LOCATION = str(uuid4())
AT = str(uuid4())
TABLES = {
    "organizations": [
        {"id": ORGANIZATION, "name": "Invented Aid", "description": "Helps.", "website": ""}
    ],
    "services": [
        {
            "id": SERVICE,
            "organization_id": ORGANIZATION,
            "name": "Talking",
            "description": "Somebody to talk to.",
            "status": "active",
            "interpretation_services": "By phone",
            "minimum_age": "18",
            "maximum_age": "",
        }
    ],
    "locations": [{"id": LOCATION, "location_type": "physical"}],
    "service_at_location": [{"id": AT, "service_id": SERVICE, "location_id": LOCATION}],
    "addresses": [{"id": str(uuid4()), "location_id": LOCATION, "address_1": "12 Quiet Lane"}],
    "phones": [{"id": str(uuid4()), "organization_id": ORGANIZATION, "number": "225-555-0150"}],
    "languages": [
        {"id": str(uuid4()), "service_id": SERVICE, "location_id": "", "code": "en"},
        {"id": str(uuid4()), "service_id": "", "location_id": LOCATION, "code": "es-MX"},
    ],
    "schedules": [
        {
            "id": str(uuid4()),
            "service_id": "",
            "service_at_location_id": AT,
            "freq": "WEEKLY",
            "byday": "MO;TU",
            "opens_at": "08:00",
            "closes_at": "17:30:00",
            "description": "",
        }
    ],
    "wh_organizations": [
        {
            "organization_id": ORGANIZATION,
            "advocate_type": "community",
            "confidentiality": "confidential",
            "recipient": "true",
            "data_agreement_until": "2030-06-30",
        }
    ],
    "wh_ties": [
        {"organization_id": ORGANIZATION, "agency": "baton-rouge-police", "kind": "funded-by"}
    ],
    "wh_services": [
        {
            "service_id": SERVICE,
            "needs": "trauma-therapy; peer-support",
            "counties": "22033;22005",
            "remote": "false",
            "access_needs": "asl",
            "capacity": "5",
            "urgency_max": "urgent",
            "first_contact_text": "Within three days.",
            "paused": "",
            "zone": "",
            "always_open": "",
        }
    ],
    "wh_locations": [{"location_id": LOCATION, "address_confidential": "false"}],
}


def write(folder: Path, tables: dict[str, list[dict[str, str]]]) -> Path:
    described = {"profile": "tabular-data-package", "resources": [{"name": n} for n in tables]}
    (folder / "datapackage.json").write_text(json.dumps(described))
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(MalformedPackage) as refused:
        read_package(folder, SITE)
    return [str(fault) for fault in refused.value.faults]


def changed(folder: Path, table: str, change: Change) -> Path:
    tables = {name: [dict(row) for row in rows] for name, rows in TABLES.items()}
    change(tables[table])
    return write(folder, tables)


def test_a_package_becomes_partners_with_services(tmp_path: Path) -> None:
    (partner,) = read_package(write(tmp_path, TABLES), SITE)

    (service,) = partner.services
    assert (partner.name, partner.phone) == ("Invented Aid", "225-555-0150")
    assert partner.recipient
    assert partner.data_agreement_until == date(2030, 6, 30)
    assert [(tie.agency, tie.kind) for tie in partner.ties] == [
        ("baton-rouge-police", "funded-by")
    ]
    assert service.needs == ("trauma-therapy", "peer-support")
    assert service.counties == ("22033", "22005")
    assert service.languages == ("en", "es-MX")
    assert service.interpretation
    assert (service.minimum_age, service.maximum_age) == (18, None)
    assert service.capacity == 5
    assert service.in_person
    assert not service.remote
    assert service.zone == "America/Chicago"
    assert service.openings == (
        Opening(0, time(8), time(17, 30)),
        Opening(1, time(8), time(17, 30)),
    )
    assert service.hours_text == "Monday to Tuesday 8:00 AM to 5:30 PM"


@pytest.mark.parametrize(
    ("table", "column", "value", "reason"),
    [
        ("organizations", "id", "17", "is not a UUID"),
        ("organizations", "name", "  ", "is empty"),
        ("organizations", "name", "x" * 4001, "is longer than 4000 characters"),
        ("services", "organization_id", str(uuid4()), "is no id of organizations.csv"),
        ("services", "status", "open", "is not one of: active, inactive, defunct"),
        ("services", "minimum_age", "eighteen", "is not a whole number from 0 to 150"),
        ("services", "minimum_age", "-1", "is not a whole number from 0 to 150"),
        ("services", "maximum_age", "17", "is below the minimum age"),
        ("locations", "location_type", "secret", "is not one of: physical, postal, virtual"),
        ("service_at_location", "location_id", str(uuid4()), "is no id of locations.csv"),
        ("languages", "code", "english please", "is not a language tag"),
        ("schedules", "opens_at", "8 AM", "is not a time such as 08:30"),
        ("schedules", "opens_at", "18:00", "is not after opens_at; write a night as two rows"),
        ("schedules", "byday", "MO;XX", "'XX' is none of MO, TU"),
        ("schedules", "freq", "MONTHLY", "is not WEEKLY"),
        ("phones", "number", "", "is empty"),
        ("wh_organizations", "advocate_type", "police", "is not one of: community"),
        ("wh_organizations", "confidentiality", "secret", "is not one of: privileged"),
        ("wh_organizations", "recipient", "maybe", "is neither true nor false"),
        ("wh_organizations", "data_agreement_until", "30.6.2030", "is not a date such as"),
        ("wh_ties", "agency", "the-police", "is not one of: baton-rouge-police"),
        ("wh_ties", "kind", "likes", "is not one of: run-by"),
        ("wh_services", "needs", "", "is empty"),
        ("wh_services", "needs", "trauma-therapy;hugs", "'hugs' is no need of the vocabulary"),
        ("wh_services", "counties", "22033;06001", "'06001' is no county of the site"),
        ("wh_services", "access_needs", "stairs", "'stairs' is no access need"),
        ("wh_services", "capacity", "12.5", "is not a whole number from 0 to 100000"),
        ("wh_services", "urgency_max", "soon", "is not one of: emergency, urgent, routine"),
        ("wh_services", "first_contact_text", "", "is empty"),
        ("wh_services", "paused", "lunch", "is not one of: staffing"),
        ("wh_services", "zone", "-06:00", "is not a time zone such as America/Chicago"),
        ("wh_locations", "address_confidential", "perhaps", "is neither true nor false"),
        ("wh_locations", "location_id", str(uuid4()), "is no id of locations.csv"),
    ],
)
def test_each_error_names_file_row_column_and_reason(
    tmp_path: Path, table: str, column: str, value: str, reason: str
) -> None:
    """R-53, R-54."""
    folder = changed(tmp_path, table, lambda rows: rows[0].update({column: value}))

    found = faults(folder)

    shown = "closes_at" if "two rows" in reason else column
    assert any(
        line.startswith(f"{table}.csv, row 2, {shown}: ") and reason in line for line in found
    ), found


def test_errors_are_told_all_at_once(tmp_path: Path) -> None:
    tables = {name: [dict(row) for row in rows] for name, rows in TABLES.items()}
    tables["services"][0]["status"] = "x"
    tables["wh_services"][0]["capacity"] = "x"
    tables["organizations"][0]["description"] = ""

    found = faults(write(tmp_path, tables))

    assert [line.split(":")[0] for line in found] == [
        "organizations.csv, row 2, description",
        "services.csv, row 2, status",
        "wh_services.csv, row 2, capacity",
    ]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("datapackage.json", None, "datapackage.json: is missing"),
        ("datapackage.json", b"../elsewhere", "datapackage.json: is not JSON"),
        ("datapackage.json", b"{}", "datapackage.json, resources: lists no tables"),
        ("organizations.csv", None, "organizations.csv: is missing"),
        ("services.csv", None, "services.csv: is missing"),
        ("services.csv", b"id,name\n", "services.csv, row 1, status: the column is missing"),
        ("services.csv", b"\xff\xfe\x00", "services.csv: is not UTF-8"),
        ("organizations.csv", b'id,name,description\n"x', "organizations.csv: is not CSV"),
        ("organizations.csv", b"", "organizations.csv, row 1, id: the column is missing"),
        ("wh_ties.csv", b"organization_id,agency,kind\na,b\n", "wh_ties.csv, row 2: has 2 cells"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, file: str, content: bytes | None, message: str
) -> None:
    folder = write(tmp_path, TABLES)
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)

    assert any(line.startswith(message) for line in faults(folder)), faults(folder)


@pytest.mark.parametrize("table", ["organizations", "services", "locations"])
def test_an_id_is_used_once(tmp_path: Path, table: str) -> None:
    folder = changed(tmp_path, table, lambda rows: rows.append(rows[0]))

    assert f"{table}.csv, row 3, id: is used twice" in faults(folder)


@pytest.mark.parametrize("table", ["wh_organizations", "wh_services"])
def test_an_extension_has_one_row(tmp_path: Path, table: str) -> None:
    folder = changed(tmp_path, table, lambda rows: rows.append(rows[0]))

    assert any(line.endswith("has a row already") for line in faults(folder))


def test_an_offered_service_needs_a_place(tmp_path: Path) -> None:
    tables = {
        n: rows for n, rows in TABLES.items() if n not in {"service_at_location", "schedules"}
    }

    assert faults(write(tmp_path, tables)) == [
        "wh_services.csv, row 2, service_id: has no row in service_at_location.csv"
    ]


def test_the_host_may_have_no_tie_to_law_enforcement(tmp_path: Path) -> None:
    host = str(SITE.host.organization_id)
    tables = {n: [dict(row) for row in rows] for n, rows in TABLES.items()}
    tables["organizations"].append({**tables["organizations"][0], "id": host})
    tables["wh_ties"][0]["organization_id"] = host

    assert faults(write(tmp_path, tables)) == [
        "wh_ties.csv, row 2, organization_id: is the site's host, which may have no such tie"
    ]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("services", "description"),
        ("organizations", "website"),
        ("wh_services", "first_contact_text"),
    ],
)
def test_a_hidden_address_is_in_no_public_text(tmp_path: Path, table: str, column: str) -> None:
    """R-54."""
    tables = {n: [dict(row) for row in rows] for n, rows in TABLES.items()}
    tables["wh_locations"][0]["address_confidential"] = "true"
    tables[table][0][column] = "Come to 12 quiet lane."

    (found,) = faults(write(tmp_path, tables))

    assert found == f"{table}.csv, row 2, {column}: tells an address that is marked confidential"


def test_an_address_is_never_part_of_a_partner(tmp_path: Path) -> None:
    """R-54."""
    partners = read_package(write(tmp_path, TABLES), SITE)

    assert "Quiet Lane" not in repr(partners)


def test_a_service_without_our_own_row_is_listed_and_never_matched(tmp_path: Path) -> None:
    tables = {n: rows for n, rows in TABLES.items() if not n.startswith("wh_")}

    (partner,) = read_package(write(tmp_path, tables), SITE)

    assert partner.services[0].needs == ()
    assert not partner.recipient


@pytest.mark.parametrize("what", ["columns that nobody knows", "a byte order mark", "blank rows"])
def test_what_does_not_matter_is_passed_over(tmp_path: Path, what: str) -> None:
    folder = write(tmp_path, TABLES)
    file = folder / "organizations.csv"
    text = file.read_text()
    lines = text.splitlines()
    file.write_text(
        {
            "columns that nobody knows": f"{lines[0]},tax_id\n{lines[1]},1\n",
            "a byte order mark": f"\ufeff{text}",
            "blank rows": f"{text}\n,,,\n",
        }[what],
        encoding="utf-8",
    )

    assert len(read_package(folder, SITE)) == 1


def test_the_sample_site_has_enough_of_everything() -> None:
    partners = read_package(SAMPLE, SITE)

    assert len(partners) >= 12
    assert sum(len(partner.services) for partner in partners) >= 25
    assert _named(partners, SITE.host.organization_id).ties == ()
    assert any(partner.ties for partner in partners)
    assert any(not partner.recipient for partner in partners)
    assert any(s.always_open for p in partners for s in p.services)


@pytest.mark.skipif(not STANDARD.is_dir(), reason="SHARED_DATA with hsds-3.0 is not here")
def test_the_example_of_the_standard_is_read_for_what_it_gives(tmp_path: Path) -> None:
    """Its datapackage.json is a link turned to text, so it gets one; its tables stay."""
    assert faults(STANDARD) == ["datapackage.json: is not JSON"]
    folder = tmp_path / "standard"
    shutil.copytree(STANDARD, folder, copy_function=shutil.copyfile)
    names = [file.stem for file in folder.glob("*.csv")]
    described = json.dumps({"resources": [{"name": name} for name in names]})
    (folder / "datapackage.json").write_text(described)

    (partner,) = read_package(folder, SITE)

    (service,) = partner.services
    assert partner.name == "Example Organization Inc."
    assert partner.phone == "+44 1234 234567"
    assert not partner.recipient
    assert service.name == "Community Counselling"
    assert (service.minimum_age, service.maximum_age) == (12, 100)
    assert service.languages == ("ur",)
    assert service.interpretation
    assert [opening.weekday for opening in service.openings] == [3, 4]
    assert service.openings[0].opens == time(10)
    assert service.needs == ()


def _named(partners: list[Partner], partner_id: object) -> Partner:
    return next(partner for partner in partners if partner.partner_id == partner_id)
