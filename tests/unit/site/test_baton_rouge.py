"""The sample site: whole, invented, and with something for every rule of matching."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from routing.adapters.hsds import read_package
from routing.domain import matching
from routing.domain.matching import Situation, Verdict
from routing.domain.model import Directory, Facts, Partner, Place
from shared.site import Site, load_site, refuse_police_host

FOLDER = Path("deploy/sites/baton-rouge")
MONDAY_10_AM = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
MONDAY_3_AM = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
FACTS = Facts(
    needs=("trauma-therapy",),
    urgency="routine",
    age_band="25-59",
    languages=("en",),
    interpreter=False,
    access_needs=(),
    county="22033",
    preferences=(),
    contact_route="through-advocate",
)


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(FOLDER)


@pytest.fixture(scope="module")
def partners(site: Site) -> list[Partner]:
    return read_package(FOLDER / "hsds", site)


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(partners: list[Partner], start: str) -> Partner:
    return next(partner for partner in partners if partner.name.startswith(start))


def verdict(
    partners: list[Partner],
    start: str,
    facts: Facts = FACTS,
    *,
    barred: frozenset[UUID] = frozenset(),
    now: datetime = MONDAY_10_AM,
) -> Verdict:
    """Return what the rules say about one partner in a preview."""
    directory = Directory(1, "baton-rouge", {p.partner_id: p for p in partners})
    places = {
        s.service_id: Place(s.service_id, s.capacity, 0, "") for p in partners for s in p.services
    }
    situation = Situation(facts, barred, None, {}, places)
    wanted = named(partners, start).partner_id
    return next(v for v in matching.match(situation, directory, now) if v.partner_id == wanted)


def excluding_rule(found: Verdict) -> str:
    return found.excluded_by.rule if found.excluded_by else "none"


def test_it_is_large_enough_for_a_demonstration(partners: list[Partner]) -> None:
    assert len(partners) >= 12
    assert sum(len(partner.services) for partner in partners) >= 25


def test_its_host_has_no_tie_to_law_enforcement(site: Site, partners: list[Partner]) -> None:
    refuse_police_host(site)

    host = next(p for p in partners if p.partner_id == site.host.organization_id)
    assert host.name == site.host.name
    assert host.ties == ()


def test_only_partners_and_the_host_hold_referrals(partners: list[Partner]) -> None:
    """The police program lead and the evaluators never receive one (R-10, R-25)."""
    never = ("Baton Rouge Police Department", "LSU Social Research", "Southern University Center")

    assert not any(named(partners, name).recipient for name in never)
    assert all(p.recipient for p in partners if not p.name.startswith(never))


def test_every_tie_names_an_agency_that_a_person_can_name(
    site: Site, partners: list[Partner]
) -> None:
    ties = [tie for partner in partners for tie in partner.ties]

    assert {tie.kind for tie in ties} == {"run-by", "co-located", "funded-by", "employs"}
    assert {tie.agency for tie in ties} <= site.involved_agencies.keys()


@pytest.mark.parametrize(
    ("rule", "partner", "changes"),
    [
        ("recipient", "Baton Rouge Police Department", {}),
        ("data-agreement", "Delta Reach", {}),
        ("status", "Sao Mai", {"needs": ("peer-support",), "languages": ("vi",)}),
        ("need", "Magnolia", {}),
        ("age", "Pelican", {}),
        ("age", "Live Oak", {"needs": ("peer-support",)}),
        ("area", "Bayou Manchac", {}),
        ("language", "Hoa Sen", {"languages": ("es",)}),
        ("access", "Second Line", {"needs": ("substance-use",), "access_needs": ("asl",)}),
        ("urgency", "Cypress Bend", {"urgency": "emergency"}),
        ("paused", "Felicianas", {"needs": ("peer-support",), "county": "22037"}),
        ("place", "Levee Street", {"needs": ("bereavement",)}),
    ],
)
def test_every_rule_leaves_somebody_out(
    partners: list[Partner], rule: str, partner: str, changes: dict[str, object]
) -> None:
    facts = replace(FACTS, **changes)  # type: ignore[arg-type]

    found = verdict(partners, partner, facts)

    assert excluding_rule(found) == rule


def test_an_emergency_at_night_finds_somebody_who_is_open(partners: list[Partner]) -> None:
    """An after-hours emergency never waits for opening (R-44)."""
    facts = replace(FACTS, needs=("crisis-counseling",), urgency="emergency")

    assert verdict(partners, "River Road", facts, now=MONDAY_3_AM).fits
    walk_in = verdict(partners, "Capital Area", facts, now=MONDAY_3_AM)
    assert excluding_rule(walk_in) == "open-now"


def test_spanish_and_vietnamese_speakers_find_therapy(partners: list[Partner]) -> None:
    assert verdict(partners, "Cypress Bend", replace(FACTS, languages=("es",))).fits
    assert verdict(partners, "Hoa Sen", replace(FACTS, languages=("vi",))).fits


def test_a_partner_tied_to_the_involved_agency_can_be_barred(partners: list[Partner]) -> None:
    unit = named(partners, "City Police")
    facts = replace(FACTS, needs=("legal-advocacy",))

    assert verdict(partners, "City Police", facts).fits
    found = verdict(partners, "City Police", facts, barred=frozenset({unit.partner_id}))
    assert excluding_rule(found) == "barred"


def test_a_confidential_address_is_nowhere_in_the_directory(partners: list[Partner]) -> None:
    """What the import keeps holds no confidential address (R-54)."""
    [hidden] = [
        row["address_1"]
        for row in rows("hsds/addresses.csv")
        if {"location_id": row["location_id"], "address_confidential": "true"}
        in rows("hsds/wh_locations.csv")
    ]

    assert "Hidden" in hidden
    assert hidden not in repr(partners)


def test_contact_details_are_reserved_ones(partners: list[Partner], site: Site) -> None:
    phones = [partner.phone for partner in partners] + [a.phone for a in site.agencies]
    phones += [line.tel for line in site.crisis if line.tel not in {"988", "911"}]
    points = rows("contact_points.csv")
    mails = [point["address"] for point in points if point["channel"] == "email"]

    assert all(phone.startswith("225-555-01") and len(phone) == 12 for phone in phones)
    assert all(partner.website.endswith(".example.org/") for partner in partners)
    assert all(mail.endswith(".example.org") for mail in mails)


def test_invented_organizations_say_so(partners: list[Partner]) -> None:
    real = (
        "Capital Area Human Services",
        "100 Black Men of Metro Baton Rouge",
        "NAACP Baton Rouge branch",
        "Baton Rouge Police Department",
        "LSU Social Research and Evaluation Center",
        "Southern University Center for Social Research",
    )

    assert all(p.name in real or p.name.endswith("(invented)") for p in partners)


def test_every_recipient_has_staff_and_is_told_by_mail(partners: list[Partner]) -> None:
    recipients = {str(p.partner_id) for p in partners if p.recipient}
    staff = {row["organization_id"] for row in rows("members.csv") if row["role"] == "partner"}
    told = {
        point["owner_id"]
        for point in rows("contact_points.csv")
        if point["owner_kind"] == "partner" and point["channel"] == "email"
    }

    assert staff == recipients
    assert told == recipients


def test_nobody_oversees_and_meets_people_at_once() -> None:
    """Coordinator and operator never combine with advocate or partner."""
    roles: dict[str, set[str]] = {}
    for row in rows("members.csv"):
        roles.setdefault(row["subject"], set()).add(row["role"])

    assert all(len(held) == 1 for held in roles.values())
    assert {"advocate", "advocate2", "agency-admin", "coordinator", "operator"} <= roles.keys()


def test_the_crisis_panel_says_who_sends_police(site: Site) -> None:
    """988 first, without police; 911 says what it brings (R-31)."""
    assert site.crisis[0].tel == "988"
    assert [line.name for line in site.crisis if line.sends_police] == ["911"]


def test_reporting_duties_say_their_age_and_send_to_counsel(site: Site) -> None:
    """A summary of law is dated, and is not advice (R-22)."""
    assert site.reporting
    assert all("check with counsel" in duty.source.lower() for duty in site.reporting)
    assert all(duty.as_of.year >= 2004 for duty in site.reporting)
