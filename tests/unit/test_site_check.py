"""`check` names what is wrong with a site's files before anything is set up."""

import shutil
from pathlib import Path

from click.testing import CliRunner

from services.cli import main

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
