# What this project uses of Flask-Babel, which ships no types.
# ruff: noqa: A002

from collections.abc import Callable
from datetime import date, datetime, time

from babel import Locale
from flask import Flask

class LazyString(str): ...

class Babel:
    def __init__(
        self,
        app: Flask | None = None,
        *,
        default_locale: str = "en",
        default_timezone: str = "UTC",
        default_translation_directories: str = "translations",
        default_domain: str = "messages",
        locale_selector: Callable[[], str | None] | None = None,
        timezone_selector: Callable[[], str | None] | None = None,
    ) -> None: ...
    def init_app(
        self,
        app: Flask,
        *,
        default_locale: str = "en",
        default_timezone: str = "UTC",
        default_translation_directories: str = "translations",
        default_domain: str = "messages",
        locale_selector: Callable[[], str | None] | None = None,
        timezone_selector: Callable[[], str | None] | None = None,
    ) -> None: ...

def gettext(string: str, **variables: object) -> str: ...
def ngettext(singular: str, plural: str, num: int, **variables: object) -> str: ...
def lazy_gettext(string: str, **variables: object) -> LazyString: ...
def get_locale() -> Locale | None: ...
def format_date(date: date | datetime | None = None, format: str | None = None) -> str: ...
def format_time(time: time | datetime | None = None, format: str | None = None) -> str: ...
def format_datetime(datetime: datetime | None = None, format: str | None = None) -> str: ...
