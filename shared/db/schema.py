"""The tables that every service's database holds, for each service's first migration."""

from importlib.resources import files

BASE_SQL = (files("shared.db") / "base.sql").read_text(encoding="utf-8")


def grants(service: str) -> str:
    """Return the SQL that gives <service>_web and <service>_worker what they need of the base."""
    text = (files("shared.db") / "grants.sql").read_text(encoding="utf-8")
    return text.replace("{service}", service)
