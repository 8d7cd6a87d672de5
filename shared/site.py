"""A site: one city's settings and texts, read from its file (R-01: nothing of a city is code)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class WrongSite(Exception):
    """The site's file cannot be used; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class Host:
    """The organization that runs the console of the site."""

    organization_id: UUID
    name: str
    phone: str
    le_ties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency whose advocates use an intake; `statement` tells whether they are confidential."""

    code: str
    organization_id: UUID
    name: str
    phone: str
    advocate_type: str
    confidential: bool
    statement: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long an answer and a first contact may take, by urgency (R-44).

    Emergency is by the wall clock; hours and days of the others are business hours and days.
    """

    emergency_minutes: int
    urgent_hours: int
    routine_days: int
    first_contact_emergency_minutes: int
    first_contact_urgent_hours: int
    first_contact_routine_days: int
    confirm_stop_hours: int


@dataclass(frozen=True, slots=True)
class CrisisLine:
    """One line of the crisis panel (R-31); empty strings where there is no such way."""

    name: str
    text: str
    tel: str
    sms: str
    chat_url: str
    sends_police: bool


@dataclass(frozen=True, slots=True)
class ReportingDuty:
    """Who must report what to whom, told before the first question (R-22)."""

    who: str
    what: str
    to_whom: str
    deadline: str
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is set for one city."""

    code: str
    name: str
    state: str
    zone: ZoneInfo
    languages: tuple[str, ...]
    counties: Mapping[str, str]
    host: Host
    agencies: tuple[Agency, ...]
    involved_agencies: Mapping[str, str]
    clocks: Clocks
    office_hours: Mapping[int, tuple[time, time]]
    holidays: Mapping[date, str]
    crisis: tuple[CrisisLine, ...]
    reporting: tuple[ReportingDuty, ...]
    release_default_days: int
    release_cap_days: int

    def is_holiday(self, day: date) -> bool:
        """Tell whether no office hours are counted on the day."""
        return day in self.holidays

    def local(self, moment: datetime) -> datetime:
        """Return the moment in the site's zone."""
        return moment.astimezone(self.zone)

    def agency(self, code: str) -> Agency:
        """Return one agency of the site.

        Raises:
            WrongSite: there is none with this code.

        """
        for agency in self.agencies:
            if agency.code == code:
                return agency
        raise WrongSite(f"The site {self.code} has no agency {code!r}. Add it to site.toml.")


def load_site(path: Path) -> Site:
    """Read `site.toml` (or the folder that holds it).

    Raises:
        WrongSite: a key is missing or of the wrong kind.

    """
    file = path / "site.toml" if path.is_dir() else path
    try:
        return _site(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as missing:
        raise WrongSite(f"{file}: cannot be read ({missing.strerror}).") from missing
    except KeyError as missing:
        raise WrongSite(f"{file}: the key {missing} is missing.") from missing
    except (TypeError, ValueError) as wrong:
        raise WrongSite(f"{file}: {wrong}") from wrong


def refuse_police_host(site: Site) -> None:
    """Make sure that the site's host is not tied to a law enforcement agency.

    Raises:
        WrongSite: it is; the agency that may have caused the harm must not run the console.

    """
    if site.host.le_ties:
        raise WrongSite(
            f"{site.host.name} cannot host the site {site.code}: it is tied to law enforcement"
            f" ({', '.join(site.host.le_ties)}). Name another host in site.toml."
        )


def _site(raw: Mapping[str, Any]) -> Site:
    return Site(
        code=raw["code"],
        name=raw["name"],
        state=raw["state"],
        zone=ZoneInfo(raw["zone"]),
        languages=tuple(raw["languages"]),
        counties=dict(raw["counties"]),
        host=Host(**_with_id(raw["host"], le_ties=tuple(raw["host"]["le_ties"]))),
        agencies=tuple(Agency(**_with_id(agency)) for agency in raw["agencies"]),
        involved_agencies=dict(raw["involved_agencies"]),
        clocks=Clocks(**raw["clocks"]),
        office_hours={WEEKDAYS.index(d): (o, c) for d, (o, c) in raw["office_hours"].items()},
        holidays={date.fromisoformat(day): name for day, name in raw["holidays"].items()},
        crisis=tuple(CrisisLine(**line) for line in raw["crisis"]),
        reporting=tuple(ReportingDuty(**duty) for duty in raw["reporting"]),
        release_default_days=raw["release"]["default_days"],
        release_cap_days=raw["release"]["cap_days"],
    )


def _with_id(table: Mapping[str, Any], **changes: object) -> dict[str, Any]:
    return {**table, "organization_id": UUID(table["organization_id"]), **changes}
