"""The tables that every service's database holds, for each service's migrations.

Step by step: a service's migration 0002 runs step 0002 of these, and a released step never
changes.
"""

from importlib.resources import files


def _text(name: str) -> str:
    return (files("shared.db") / name).read_text(encoding="utf-8")


BASE_SQL = _text("base_0001.sql")
BASE_0002_SQL = _text("base_0002.sql")
BASE_0003_SQL = _text("base_0003.sql")
WHOLE_BASE_SQL = BASE_SQL + BASE_0002_SQL + BASE_0003_SQL
"""All steps, for a database that holds nothing else."""


def grants(service: str, step: str = "0001") -> str:
    """Return the SQL that gives <service>_web and <service>_worker what they need of the step."""
    return _text(f"grants_{step}.sql").replace("{service}", service)
