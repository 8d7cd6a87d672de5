"""Importing a directory: a new version, the public records, and the site's members."""

import shutil
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from routing.adapters.hsds import MalformedPackage
from routing.adapters.site_files import load_site_part
from shared.db import transaction
from shared.db.members import find_member
from shared.errors import Rejected
from tests.integration.routing.conftest import SITE, Routing
from tests.unit.routing.builders import a_partner, a_service

FOLDER = Path("deploy/sites/baton-rouge")
ISSUER = "https://sign-in.example.org"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "site"
    shutil.copytree(FOLDER, copied)
    return copied


def test_the_sample_site_is_loaded_whole_and_loading_again_tells_nothing_new(
    routing: Routing,
) -> None:
    for _ in range(2):
        with transaction(routing.pool) as tx:
            load_site_part(tx, FOLDER, issuer=ISSUER)

    with routing.web.read() as (queries, _), transaction(routing.pool) as tx:
        told = tx.execute("select key, count(*) as n from outbox group by key").fetchall()
        (member,) = find_member(tx, ISSUER, "coordinator")
        assert len(queries.services()) >= 25
    assert len(told) >= 12
    assert {row["n"] for row in told} == {1}
    assert member.organization_id == SITE.host.organization_id


def test_one_error_imports_nothing(routing: Routing, folder: Path) -> None:
    with (folder / "hsds" / "services.csv").open("a") as file:
        file.write("\nnot-an-id\n")

    with pytest.raises(MalformedPackage), transaction(routing.pool) as tx:
        load_site_part(tx, folder, issuer=ISSUER)

    with transaction(routing.pool) as tx:
        assert tx.execute("select * from directory_version").fetchall() == []
        assert tx.execute("select * from member").fetchall() == []
        assert tx.execute("select * from outbox").fetchall() == []


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (f"{uuid4()},routing,coordinator,{uuid4()},x,X", "organization_id"),
        (f"{uuid4()},routing,king,{uuid4()},x,X", "role"),
        (f"x,routing,partner,{uuid4()},x,X", "row"),
        (f"{uuid4()},routing,partner,{uuid4()},,X", "row"),
    ],
)
def test_a_member_that_cannot_be_is_refused(
    routing: Routing, folder: Path, line: str, where: str
) -> None:
    """Coordinators belong to the host."""
    with (folder / "members.csv").open("a") as file:
        file.write(f"{line}\n")

    with pytest.raises(Rejected) as refused, transaction(routing.pool) as tx:
        load_site_part(tx, folder, issuer=ISSUER)

    (place,) = refused.value.fields
    assert place.startswith("members.csv, row ")
    assert where in place


def test_a_changed_partner_is_told_again_and_one_that_is_gone_is_withdrawn(
    routing: Routing,
) -> None:
    kept, gone = a_partner(), a_partner()
    routing.has_partners(kept, gone)

    routing.has_partners(a_partner(kept.partner_id, name="Another name"))

    assert routing.events(kept) == ["published", "published"]
    assert routing.events(gone) == ["published", "withdrawn"]
    routing.has_partners(kept, gone)
    assert routing.events(gone) == ["published", "withdrawn", "published"]


def test_a_directory_version_can_never_change(routing: Routing) -> None:
    routing.has_partners(a_partner(None, a_service()))

    for change in ("update directory_version set site = 'x'", "delete from directory_version"):
        with pytest.raises(psycopg.errors.RaiseException, match="never changes"):
            routing.runs(change)


def test_a_partner_that_left_the_directory_is_not_asked(routing: Routing) -> None:
    gone, kept = a_partner(), a_partner()
    routing.has_partners(gone, kept)
    routing.has_partners(kept)

    referral = routing.receives(gone, kept)

    assert routing.offered_to(referral) == kept.partner_id
