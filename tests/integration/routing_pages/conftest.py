"""Routing's pages, for each test on a database of its own."""

from collections.abc import Iterator

import pytest

from tests.integration.routing_pages.builders import Pages, routing_pages
from tests.support.databases import TestDatabase


@pytest.fixture
def pages(routing_db: TestDatabase) -> Iterator[Pages]:
    """Give the pages of routing."""
    with routing_pages(routing_db) as found:
        yield found
