"""Chromium for tests: Debian's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

PHONE, DESKTOP = 360, 1280
_CHROMIUM = Path("/usr/bin/chromium")


@contextmanager
def a_chromium() -> Iterator[Browser]:
    """Start it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def skip_without_chromium() -> None:
    """Skip the test where it is missing; where real parts are required, fail."""
    if _CHROMIUM.exists():
        return
    if os.environ.get("REQUIRE_REAL_BROKER") == "1":
        pytest.fail("REQUIRE_REAL_BROKER=1, but Debian's chromium is missing.")
    pytest.skip("needs Debian's chromium")
