"""Who is a member of an agency's intake comes from the site's file: all of it, or nothing."""

import csv
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from intake.adapters.site_files import load_site_part
from shared.db import transaction
from shared.errors import Rejected
from tests.integration.intake.worlds import World
from tests.support.web import PROVIDER, SITE

COLUMNS = ("member_id", "service", "role", "organization_id", "subject", "name")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(SITE / "site.toml", tmp_path)
    shutil.copy(SITE / "members.csv", tmp_path)
    return tmp_path


def add(folder: Path, **changes: str) -> None:
    row = {
        "member_id": str(uuid4()),
        "service": "intake",
        "role": "advocate",
        "organization_id": str(uuid4()),
        "subject": "somebody",
        "name": "Invented Somebody",
        **changes,
    }
    with (folder / "members.csv").open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, COLUMNS).writerow(row)


def load(world: World, folder: Path) -> dict[str, str]:
    with transaction(world.admin) as tx:
        load_site_part(tx, folder, issuer=PROVIDER, agency="brva")
    return active(world)


def active(world: World) -> dict[str, str]:
    with transaction(world.admin) as tx:
        rows = tx.execute("select subject, role from member where active")
        return {row["subject"]: row["role"] for row in rows}


def test_the_agencys_members_and_the_operators_are_loaded(world: World, folder: Path) -> None:
    """R-13: another agency's advocates are no members here."""
    add(folder, subject="advocate-of-another-agency")

    assert load(world, folder) == {
        "advocate": "advocate",
        "advocate2": "advocate",
        "agency-admin": "agency_admin",
        "agency-system": "client",
        "operator": "operator",
    }


def test_a_member_who_left_the_file_is_one_no_more(world: World, folder: Path) -> None:
    load(world, folder)
    file = folder / "members.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if ",advocate2," not in line))

    assert "advocate2" not in load(world, folder)


@pytest.mark.parametrize("changes", [{"member_id": "7"}, {"role": "coordinator"}, {"subject": ""}])
def test_a_wrong_row_is_named_and_nothing_is_changed(
    world: World, folder: Path, changes: dict[str, str]
) -> None:
    before = load(world, folder)
    add(folder, **changes)

    with pytest.raises(Rejected) as refused:
        load(world, folder)

    assert "members.csv, row " in str(refused.value.fields)
    assert active(world) == before


def test_roles_that_must_not_meet_are_refused(world: World, folder: Path) -> None:
    organization = "1c7a9e44-5b0d-4a57-8e62-b0f4c2d91a10"
    add(folder, subject="operator", organization_id=organization)

    with pytest.raises(Rejected):
        load(world, folder)
