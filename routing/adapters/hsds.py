"""Reads a site's directory: an HSDS 3.0 tabular data package with our extension tables.

The profile is docs/hsds-profile.md. HSDS says nothing about night hours, counties or hidden
addresses and lets nonsense validate (R-53, R-54), so the meaning is checked here, and one error
means that nothing is imported.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from routing.adapters.hours import openings_of, words_of
from routing.adapters.tables import Fault, Package, Row
from routing.domain.model import Opening, Partner, Service, Tie
from shared.contracts import codes
from shared.errors import Rejected
from shared.site import Site

STATUSES: Final = ("active", "inactive", "defunct", "temporarily closed")
_LOCATION_TYPES: Final = ("physical", "postal", "virtual")
_MAX_AGE: Final = 150
_MAX_CAPACITY: Final = 100_000
_SHORTEST_ADDRESS: Final = 6


class MalformedPackage(Rejected):
    """The package has errors; `faults` has each with its place, and nothing was imported."""

    code = "malformed-package"

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults, in the order of files and rows."""
        self.faults = sorted(faults, key=lambda f: (f.file, f.row, f.column))
        super().__init__(
            f"The directory has {len(self.faults)} errors. Nothing was imported.",
            {fault.place: [fault.reason] for fault in self.faults},
        )


@dataclass(frozen=True, slots=True)
class _Location:
    type: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class _Parts:
    """Everything of the package that services are put together from."""

    site: Site
    locations: Mapping[UUID, _Location]
    at: Mapping[UUID, Collection[UUID]]
    languages: Mapping[UUID, Sequence[str]]
    hours: Mapping[UUID, Sequence[Opening]]
    hours_words: Mapping[UUID, str]
    extensions: Mapping[UUID, Row]


def read_package(folder: Path, site: Site) -> list[Partner]:
    """Return the partners of a package.

    Raises:
        MalformedPackage: with every error that was found.

    """
    package = Package(folder)
    _check_description(package)
    organizations = _by_id(package.rows("organizations", _ORGANIZATION, required=True))
    services = _by_id(package.rows("services", _SERVICE, required=True))
    parts = _parts(package, services, site)
    extensions = _one_each(
        package.rows("wh_organizations", _WH_ORGANIZATION), "organization_id", organizations
    )
    ties = _ties(package, organizations, site)
    phones = _phones(package, organizations)
    offered = _services(services, organizations, parts)
    partners = [
        _partner(row, extensions.get(found), ties[found], phones.get(found, ""), offered[found])
        for found, row in organizations.items()
    ]
    _check_hidden_addresses(package, parts, (*organizations.values(), *services.values()))
    if package.faults:
        raise MalformedPackage(package.faults)
    return partners


def _check_description(package: Package) -> None:
    file = "datapackage.json"
    try:
        described = json.loads((package.folder / file).read_text(encoding="utf-8"))
    except OSError:
        package.faults.append(Fault(file, 0, "", "is missing"))
        return
    except ValueError:
        package.faults.append(Fault(file, 0, "", "is not JSON"))
        return
    if not isinstance(described, dict) or not described.get("resources"):
        package.faults.append(Fault(file, 0, "resources", "lists no tables"))


def _by_id(rows: Sequence[Row]) -> dict[UUID, Row]:
    found: dict[UUID, Row] = {}
    for row in rows:
        key = row.id("id")
        if key is not None and key in found:
            row.fault("id", "is used twice")
        if key is not None:
            found.setdefault(key, row)
    return found


def _one_each(rows: Sequence[Row], column: str, known: Mapping[UUID, Row]) -> dict[UUID, Row]:
    file = "organizations.csv" if column == "organization_id" else "services.csv"
    found: dict[UUID, Row] = {}
    for row in rows:
        key = row.reference(column, known, file)
        if key is not None and key in found:
            row.fault(column, "has a row already")
        if key is not None:
            found[key] = row
    return found


def _partner(
    row: Row, extension: Row | None, ties: Sequence[Tie], phone: str, services: Sequence[Service]
) -> Partner:
    partner_id = row.id("id")
    assert partner_id is not None  # noqa: S101  (rows without an id were left out)
    return Partner(
        partner_id=partner_id,
        name=row.text("name", required=True)[:200],
        description=row.text("description", required=True),
        website=row.text("website"),
        phone=phone,
        advocate_type=extension.code("advocate_type", codes.ADVOCATE_TYPES)
        if extension
        else "community",
        confidentiality=extension.code("confidentiality", codes.CONFIDENTIALITY)
        if extension
        else "discoverable",
        ties=tuple(ties),
        recipient=extension.flag("recipient") if extension else False,
        data_agreement_until=extension.day("data_agreement_until") if extension else None,
        services=tuple(services),
    )


def _ties(
    package: Package, organizations: Mapping[UUID, Row], site: Site
) -> Mapping[UUID, list[Tie]]:
    found: dict[UUID, list[Tie]] = defaultdict(list)
    for row in package.rows("wh_ties", ("organization_id", "agency", "kind")):
        owner = row.reference("organization_id", organizations, "organizations.csv")
        agency = row.code("agency", site.involved_agencies)
        kind = row.code("kind", codes.TIE_KINDS)
        if owner == site.host.organization_id:
            row.fault("organization_id", "is the site's host, which may have no such tie")
        if owner is not None:
            found[owner].append(Tie(agency, kind))
    return found


def _phones(package: Package, organizations: Mapping[UUID, Row]) -> Mapping[UUID, str]:
    found: dict[UUID, str] = {}
    for row in package.rows("phones", ("id", "number", "organization_id")):
        owner = row.optional_reference("organization_id", organizations, "organizations.csv")
        number = row.text("number", required=True).strip('"')
        if owner is not None:
            found.setdefault(owner, number)
    return found


def _parts(package: Package, services: Mapping[UUID, Row], site: Site) -> _Parts:
    locations = _locations(package)
    at, services_at = _service_at_location(package, services, locations)
    hours, hours_words = _schedules(package, services, services_at)
    return _Parts(
        site=site,
        locations=locations,
        at=at,
        languages=_languages(package, services, locations, at),
        hours=hours,
        hours_words=hours_words,
        extensions=_one_each(package.rows("wh_services", _WH_SERVICE), "service_id", services),
    )


def _locations(package: Package) -> Mapping[UUID, _Location]:
    rows = _by_id(package.rows("locations", ("id", "location_type")))
    marks = {
        row.reference("location_id", rows, "locations.csv"): row.flag("address_confidential")
        for row in package.rows("wh_locations", ("location_id", "address_confidential"))
    }
    return {
        found: _Location(row.code("location_type", _LOCATION_TYPES), marks.get(found, False))
        for found, row in rows.items()
    }


def _service_at_location(
    package: Package, services: Mapping[UUID, Row], locations: Mapping[UUID, _Location]
) -> tuple[Mapping[UUID, set[UUID]], Mapping[UUID, UUID]]:
    at: dict[UUID, set[UUID]] = defaultdict(set)
    services_at: dict[UUID, UUID] = {}
    rows = _by_id(package.rows("service_at_location", ("id", "service_id", "location_id")))
    for found, row in rows.items():
        service = row.reference("service_id", services, "services.csv")
        location = row.reference("location_id", locations, "locations.csv")
        if service is not None and location is not None:
            at[service].add(location)
            services_at[found] = service
    return at, services_at


def _languages(
    package: Package,
    services: Mapping[UUID, Row],
    locations: Mapping[UUID, _Location],
    at: Mapping[UUID, Collection[UUID]],
) -> Mapping[UUID, list[str]]:
    spoken: dict[UUID, list[str]] = defaultdict(list)
    for row in package.rows("languages", ("id", "service_id", "code")):
        tag = row.language("code")
        service = row.optional_reference("service_id", services, "services.csv")
        location = row.optional_reference("location_id", locations, "locations.csv")
        there = {s for s, places in at.items() if location in places and service is None}
        for one in sorted({service, *there} - {None}, key=str):
            if one is not None and tag not in spoken[one]:
                spoken[one].append(tag)
    return spoken


def _schedules(
    package: Package, services: Mapping[UUID, Row], services_at: Mapping[UUID, UUID]
) -> tuple[Mapping[UUID, list[Opening]], Mapping[UUID, str]]:
    hours: dict[UUID, list[Opening]] = defaultdict(list)
    words: dict[UUID, str] = {}
    for row in package.rows("schedules", ("id", "byday", "opens_at", "closes_at")):
        service = row.optional_reference("service_id", services, "services.csv")
        link = row.optional_reference(
            "service_at_location_id", services_at, "service_at_location.csv"
        )
        owner = service or (services_at[link] if link else None)
        found = openings_of(row)
        if owner is not None:
            hours[owner].extend(found)
            words.setdefault(owner, row.text("description"))
    return hours, words


def _services(
    services: Mapping[UUID, Row], organizations: Mapping[UUID, Row], parts: _Parts
) -> Mapping[UUID, list[Service]]:
    found: dict[UUID, list[Service]] = defaultdict(list)
    for service_id, row in services.items():
        owner = row.reference("organization_id", organizations, "organizations.csv")
        service = _service(service_id, row, parts)
        if owner is not None:
            found[owner].append(service)
    return found


def _service(service_id: UUID, row: Row, parts: _Parts) -> Service:
    minimum = row.number_in("minimum_age", 0, _MAX_AGE)
    maximum = row.number_in("maximum_age", 0, _MAX_AGE)
    if minimum is not None and maximum is not None and minimum > maximum:
        row.fault("maximum_age", "is below the minimum age")
    places = [parts.locations[location] for location in parts.at.get(service_id, ())]
    types = {place.type for place in places}
    openings = tuple(sorted(parts.hours.get(service_id, ()), key=_opening_order))
    extra = _extension(service_id, row, parts)
    return Service(
        service_id=service_id,
        name=row.text("name", required=True),
        description=row.text("description"),
        status=row.code("status", STATUSES),
        needs=extra.needs if places else (),
        languages=tuple(parts.languages.get(service_id, ())),
        interpretation=bool(row.text("interpretation_services")),
        minimum_age=minimum,
        maximum_age=maximum,
        counties=extra.counties,
        remote=extra.remote or "virtual" in types,
        in_person="physical" in types,
        access_needs=extra.access_needs,
        urgency_max=extra.urgency_max,
        first_contact_text=extra.first_contact_text,
        hours_text=words_of(
            openings, always_open=extra.always_open, told=parts.hours_words.get(service_id, "")
        ),
        zone=extra.zone,
        openings=openings,
        always_open=extra.always_open,
        capacity=extra.capacity,
        paused=extra.paused,
    )


@dataclass(frozen=True, slots=True)
class _Extension:
    needs: tuple[str, ...]
    counties: tuple[str, ...]
    remote: bool
    access_needs: tuple[str, ...]
    capacity: int | None
    urgency_max: str
    first_contact_text: str
    paused: str
    zone: str
    always_open: bool


def _extension(service_id: UUID, row: Row, parts: _Parts) -> _Extension:
    """Return what our own table says of a service; without a row it is listed, not matched."""
    zone = parts.site.zone.key
    own = parts.extensions.get(service_id)
    if own is None:
        return _Extension((), (), False, (), None, "routine", "", "", zone, False)  # noqa: FBT003
    needs = own.codes("needs", codes.NEEDS, "need of the vocabulary")
    if not needs:
        own.fault("needs", "is empty")
    if row.text("status") == "active" and not parts.at.get(service_id):
        own.fault("service_id", "has no row in service_at_location.csv")
    return _Extension(
        needs=needs,
        counties=own.codes("counties", parts.site.counties, "county of the site"),
        remote=own.flag("remote"),
        access_needs=own.codes("access_needs", codes.ACCESS_NEEDS, "access need"),
        capacity=own.number_in("capacity", 0, _MAX_CAPACITY),
        urgency_max=own.code("urgency_max", codes.URGENCIES),
        first_contact_text=own.text("first_contact_text", required=True),
        paused=own.code("paused", codes.PAUSE_REASONS) if own.text("paused") else "",
        zone=own.zone("zone", zone),
        always_open=own.flag("always_open"),
    )


def _check_hidden_addresses(package: Package, parts: _Parts, public: Sequence[Row]) -> None:
    """Refuse a package whose public texts tell an address that must stay unknown (R-54)."""
    hidden = {found for found, location in parts.locations.items() if location.confidential}
    for address in package.rows("addresses", ("id", "location_id", "address_1")):
        location = address.reference("location_id", parts.locations, "locations.csv")
        street = address.text("address_1").casefold()
        if location not in hidden or len(street) < _SHORTEST_ADDRESS:
            continue
        for row in (*public, *parts.extensions.values()):
            for column, value in row.cells.items():
                if street in value.casefold():
                    row.fault(column, "tells an address that is marked confidential")


def _opening_order(opening: Opening) -> tuple[int, str]:
    return opening.weekday, opening.opens.isoformat()


_ORGANIZATION: Final = ("id", "name", "description")
_SERVICE: Final = ("id", "organization_id", "name", "status")
_WH_ORGANIZATION: Final = (
    "organization_id",
    "advocate_type",
    "confidentiality",
    "recipient",
    "data_agreement_until",
)
_WH_SERVICE: Final = (
    "service_id",
    "needs",
    "counties",
    "remote",
    "access_needs",
    "capacity",
    "urgency_max",
    "first_contact_text",
    "paused",
    "zone",
    "always_open",
)
