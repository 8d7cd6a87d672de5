"""`check` names what is wrong with a site's files before anything is set up."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from services.cli import main
from services.setup import load
from shared.errors import Rejected

SITE = Path(__file__).parents[2] / "deploy" / "sites" / "baton-rouge"


def test_the_sample_site_can_be_used() -> None:
    assert CliRunner().invoke(main, ["check", str(SITE)]).output == "The site can be used.\n"


def test_a_fault_of_the_directory_is_named_by_file_row_and_column(tmp_path: Path) -> None:
    site = Path(shutil.copytree(SITE, tmp_path / "site"))
    services = site / "hsds" / "services.csv"
    head, first, rest = services.read_text(encoding="utf-8").split("\n", 2)
    broken = f"not-an-id,{first.partition(',')[2]}"
    services.write_text(f"{head}\n{broken}\n{rest}", encoding="utf-8")

    told = CliRunner().invoke(main, ["check", str(site)])

    assert told.exit_code == 1
    assert "services.csv, row 2, id: is not a UUID" in told.output


@pytest.mark.parametrize(
    ("oversees", "meets_people"),
    [
        ("routing,coordinator", "intake,advocate"),
        ("notifications,operator", "routing,partner"),
        ("routing,operator", "intake,agency_admin"),
    ],
)
def test_nobody_oversees_in_one_service_and_meets_people_in_another(
    tmp_path: Path, oversees: str, meets_people: str
) -> None:
    """Coordinator, operator and monitor never combine with advocate or partner."""
    site = Path(shutil.copytree(SITE, tmp_path / "site"))
    with (site / "members.csv").open("a", encoding="utf-8") as members:
        for held in (oversees, meets_people):
            members.write(f"{uuid4()},{held},{uuid4()},lee,Lee Invented\n")

    told = CliRunner().invoke(main, ["check", str(site)])

    assert told.exit_code == 1
    assert "lee: " in told.output
    with pytest.raises(Rejected, match="may not be held by one person"):
        load(site, {}, issuer="https://id.example.org", agency="brva")
