from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from shared.site import WrongSite, load_site, refuse_police_host

BATON_ROUGE = Path("deploy/sites/baton-rouge")


def test_the_sample_site_can_be_read() -> None:
    site = load_site(BATON_ROUGE)

    assert site.code == "baton-rouge"
    assert site.office_hours[0] == (time(8), time(17))
    assert 6 not in site.office_hours
    assert site.is_holiday(date(2026, 11, 26))
    assert site.local(datetime(2026, 11, 24, 18, tzinfo=UTC)).hour == 12
    assert site.agency("brva").confidential


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    text = (BATON_ROUGE / "site.toml").read_text(encoding="utf-8")
    (tmp_path / "site.toml").write_text(text.replace("urgent_hours = 4\n", "", 1))

    with pytest.raises(WrongSite, match="urgent_hours"):
        load_site(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongSite, match=r"site\.toml: cannot be read"):
        load_site(tmp_path)


def test_a_host_with_a_tie_to_law_enforcement_is_refused() -> None:
    """R-10: a police agency is never host, whatever part of it applies."""
    site = load_site(BATON_ROUGE)
    police = replace(site, host=replace(site.host, le_ties=("baton-rouge-police",)))

    refuse_police_host(site)
    with pytest.raises(WrongSite, match="cannot host"):
        refuse_police_host(police)


def test_911_is_named_as_sending_police() -> None:
    """R-31: people choose with open eyes."""
    lines = load_site(BATON_ROUGE).crisis

    assert [line.tel for line in lines if line.sends_police] == ["911"]
    assert any(line.tel == "988" for line in lines)
