"""Contact points and operators are what the site's files say."""

import csv
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from notifications.adapters.secrets_at_rest import Safe
from notifications.adapters.site_files import load_site_part
from shared.crypto import new_data_key
from shared.db.members import find_member
from shared.errors import Rejected
from tests.support.databases import TestDatabase

SITE = Path("deploy/sites/baton-rouge")
ISSUER = "https://sign-in.example.org"


def load(database: TestDatabase, folder: Path, safe: Safe | None = None) -> None:
    with psycopg.connect(database.owner, row_factory=dict_row) as tx:
        load_site_part(tx, folder, issuer=ISSUER, safe=safe)


def points(database: TestDatabase) -> list[dict[str, object]]:
    with psycopg.connect(database.owner, row_factory=dict_row) as tx:
        return tx.execute("select * from contact_point order by endpoint_id").fetchall()


def a_site(folder: Path, *rows: str) -> Path:
    header = "endpoint_id,owner_kind,owner_id,channel,address,secret"
    (folder / "contact_points.csv").write_text("\n".join([header, *rows, ""]))
    (folder / "members.csv").write_text("member_id,service,role,organization_id,subject,name\n")
    return folder


POINT = "c297941e-42cb-4e87-a08a-762b0edc3959"
OWNER = "6d1f0b52-3f0e-4c39-9a41-0d6f3a7c1e01"
MAIL = f"{POINT},partner,{OWNER},email,staff@example.org,"


def test_the_sample_site_loads_twice_with_the_same_result(notifications_db: TestDatabase) -> None:
    load(notifications_db, SITE)
    once = points(notifications_db)
    load(notifications_db, SITE)

    with (SITE / "contact_points.csv").open() as file:
        assert len(once) == len(list(csv.DictReader(file)))
    assert points(notifications_db) == once
    with psycopg.connect(notifications_db.owner, row_factory=dict_row) as tx:
        assert [member.role for member in find_member(tx, ISSUER, "operator")] == ["operator"]
        assert find_member(tx, ISSUER, "advocate") == []


def test_a_webhooks_secret_is_sealed_where_there_is_a_key(notifications_db: TestDatabase) -> None:
    safe = Safe(new_data_key())

    load(notifications_db, SITE, safe)

    for point in points(notifications_db):
        if point["channel"] == "webhook":
            kept = point["secret"]
            assert isinstance(kept, bytes)
            assert b"whsec_" not in kept
            assert safe.open(point["endpoint_id"], kept).startswith("whsec_")  # type: ignore[arg-type]


def test_an_endpoint_that_left_the_file_is_closed_and_one_that_was_gone_opens_again(
    notifications_db: TestDatabase, tmp_path: Path
) -> None:
    load(notifications_db, SITE)
    with psycopg.connect(notifications_db.owner) as tx:
        tx.execute("update contact_point set disabled_at = now()")

    load(notifications_db, a_site(tmp_path, MAIL))

    active = [point for point in points(notifications_db) if point["active"]]
    assert [(str(p["endpoint_id"]), p["disabled_at"]) for p in active] == [(POINT, None)]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (f"no,partner,{OWNER},email,a@example.org,", "contact_points.csv.2.endpoint_id"),
        (f"{POINT},stranger,{OWNER},email,a@example.org,", "contact_points.csv.2.owner_kind"),
        (f"{POINT},partner,{OWNER},pigeon,a@example.org,", "contact_points.csv.2.channel"),
        (f"{POINT},partner,{OWNER},email,nobody,", "contact_points.csv.2.address"),
        (f"{POINT},partner,{OWNER},webhook,ftp://x/,whsec_x", "contact_points.csv.2.address"),
        (f"{POINT},partner,{OWNER},webhook,https://x/,whsec_x", "contact_points.csv.2.secret"),
        (f"{MAIL},more", "contact_points.csv.2"),
    ],
)
def test_a_fault_is_named_by_its_place_and_nothing_is_loaded(
    notifications_db: TestDatabase, tmp_path: Path, row: str, place: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        load(notifications_db, a_site(tmp_path, row))

    assert place in refusal.value.fields
    assert points(notifications_db) == []


def test_a_missing_file_and_other_columns_are_faults_too(
    notifications_db: TestDatabase, tmp_path: Path
) -> None:
    (tmp_path / "members.csv").write_text("name\nsomebody\n")

    with pytest.raises(Rejected) as refusal:
        load(notifications_db, tmp_path)

    assert set(refusal.value.fields) == {"contact_points.csv", "members.csv"}
