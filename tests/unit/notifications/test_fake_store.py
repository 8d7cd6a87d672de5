"""The fake keeps the promises that PostgreSQL keeps."""

import pytest

from tests.support.notifications import FakeWorld, StorePromises, World


class TestFakeStore(StorePromises):
    @pytest.fixture
    def world(self) -> World:
        return FakeWorld()
