"""Erasing a person by a command: first what there is, then that it is gone (R-24)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.cli import main
from tests.integration.intake_pages.builders import Pages
from tests.integration.intake_pages.journey import refer
from tests.support.databases import TestDatabase
from tests.support.web import PROVIDER, SITE

Erase = Callable[..., Result]


@pytest.fixture
def erase(
    pages: Pages, intake_keys_db: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Erase:
    settings = {
        "WH_SITE": str(SITE),
        "WH_DATABASE": pages.database.web,
        "WH_KEYS_DATABASE": intake_keys_db.web,
        "WH_AGENCY": "brva",
        "WH_AGENCY_KEY": str(tmp_path / "agency.key"),
        "WH_PUBLIC_URL": "http://localhost",
        "WH_SECRET_KEY": "a-secret-of-tests-of-32-characters",
        "WH_OIDC_ISSUER": PROVIDER,
        "WH_OIDC_CLIENT_ID": "intake",
        "WH_OIDC_CLIENT_SECRET": "secret",
        "WH_ROUTING_URL": "http://routing.example.org",
        "WH_ROUTING_JWK": str(tmp_path / "routing.jwk"),
    }
    return lambda *command: CliRunner().invoke(main, ["erase-person", *command], env=settings)


def reference(pages: Pages) -> str:
    """Refer somebody; return the referral's reference."""
    referral_id = refer(pages.browser())
    return str(
        pages.ask("select reference from referral where referral_id = %s", referral_id)[0][0]
    )


def test_what_would_be_erased_is_shown_and_kept(pages: Pages, erase: Erase) -> None:
    named = reference(pages)

    told = erase(named, "--by", "advocate")

    assert told.exit_code == 0
    assert f"{named}, sent " in told.output
    assert "1 signed releases" in told.output
    assert "Nothing is erased yet." in told.output
    assert "Kettle" not in told.output
    assert pages.ask("select count(*) from person where erased_at is not null") == [(0,)]


def test_a_person_is_erased_and_it_is_noted_for_whom(pages: Pages, erase: Erase) -> None:
    named = reference(pages)

    told = erase(named, "--by", "advocate", "--for-real")

    assert told.output.endswith("Erased. The others are told by the bus to forget it too.\n")
    (advocate,) = pages.ask("select member_id::text from member where subject = 'advocate'")
    erasures = "select reader, referral_ids[1]::text from disclosure_log where kind = 'erasure'"
    ids = pages.ask("select referral_id::text from referral")
    assert pages.ask(erasures) == [(*advocate, *ids[0])]
    assert pages.ask("select profile, contact, key_destroyed_at is not null from person") == [
        (None, None, True)
    ]
    assert pages.ask("select count(*) from outbox where type like '%%erased%%'") == [(1,)]


@pytest.mark.parametrize("by", ["operator", "nobody"])
def test_only_at_the_word_of_an_advocate(pages: Pages, erase: Erase, by: str) -> None:
    told = erase(reference(pages), "--by", by, "--for-real")

    assert told.exit_code == 1
    assert f"No advocate of the agency signs in as {by}." in told.output
    assert pages.ask("select count(*) from person where erased_at is not null") == [(0,)]


def test_a_reference_that_is_none_erases_nobody(erase: Erase) -> None:
    told = erase("WH-NONE-22", "--by", "advocate", "--for-real")

    assert told.exit_code == 1
    assert "There is no such referral." in told.output
