"""The form, killed at any step of its sending: what is pressed again makes one referral."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from intake.adapters.clock import Clock
from intake.adapters.pages.answers import Answers
from tests.integration.intake_pages.builders import ADVOCATE, Browser, Pages, intake_pages
from tests.integration.intake_pages.journey import to_check
from tests.support.databases import TestDatabase
from tests.support.dying import Process


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def pages(
    intake_db: TestDatabase, intake_keys_db: TestDatabase, tmp_path: Path, process: Process
) -> Iterator[Pages]:
    with intake_pages(intake_db, intake_keys_db, tmp_path, process=process) as found:
        yield found


def test_a_form_that_is_sent_again_after_a_crash_is_one_referral(
    pages: Pages, process: Process, intake_keys_db: TestDatabase
) -> None:
    browser = pages.browser()
    answers = _signed(pages, browser)
    token = {"csrf_token": browser.token()}

    for referrals, death in enumerate(process.every_death(), 1):
        draft_id = browser.save(answers)
        path = f"/drafts/{draft_id}/check"
        with death:
            browser.post_without_token(path, token)
        sent = browser.post(path)
        Clock(pages.units.pool, pages.units.keys, "brva").step()

        assert sent.heading == "The referral is sent"
        referral_id = UUID(sent.path.split("/")[2])
        assert pages.ask("select token from submission where referral_id = %s", referral_id) == [
            (draft_id,)
        ]
        assert len(pages.sent()) == referrals
        assert pages.ask("select type from outbox where key = %s", str(referral_id)) == [
            ("intake.referral.submitted.v1",)
        ]
        assert pages.ask("select from draft where draft_id = %s", draft_id) == []
        assert draft_id not in _owners(intake_keys_db)


def _signed(pages: Pages, browser: Browser) -> Answers:
    """Return the answers of a form that is ready to be sent."""
    draft_id = UUID(to_check(browser).path.split("/")[2])
    return pages.desk.draft(ADVOCATE, draft_id)


def _owners(keys: TestDatabase) -> set[UUID]:
    with psycopg.connect(keys.admin) as connection:
        return {row[0] for row in connection.execute("select owner_id from data_key")}
