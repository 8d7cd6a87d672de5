"""Intake's pages, for each test on databases of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.intake_pages.builders import Pages, intake_pages
from tests.support.databases import TestDatabase


@pytest.fixture
def pages(
    intake_db: TestDatabase, intake_keys_db: TestDatabase, tmp_path: Path
) -> Iterator[Pages]:
    """Give the pages of intake."""
    with intake_pages(intake_db, intake_keys_db, tmp_path) as found:
        yield found
