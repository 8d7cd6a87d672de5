# ruff: noqa: E501  (a table is read across)
"""Every route of every service, asked by everybody, for one's own things and for others'.

ARCHITECTURE.md section 1, and R-59: what somebody may do comes from the service's own members,
and whose things they are from the sign-in, never from the request; a removed member loses access
at once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
import pytest
from psycopg import sql

from services.local.provider import Provider
from tests.integration.access.asking import NOBODY, Ask, Asking, routes
from tests.integration.access.places import Args, Place

# ok: let in. in: led to sign-in. A number: the status. Where it says ok and the route names one
# thing, the same of somebody else, or one that is nowhere, is 404.
#
# 422: let in, but the form asks for something that only a page can tell.
#
# removed: was a member until now, of the role that the service is for. stranger: signed in, and
# no member. elsewhere: in the role that the service is for, of another organization.
EVERY_SERVICE = """
                                   nobody stranger removed elsewhere advocate agency_admin partner partner_admin coordinator operator
GET  /assets/<path:name>              404      404     404       404      404          404     404           404         404      404
GET  /crisis                           ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /exit                             ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /exit/about                       ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /healthz                          ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /metrics                          ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /readyz                           ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /sign-in                          ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /sign-in/callback                400      400     400       400      400          400     400           400         400      400
GET  /signed-out                       ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /timed-out                        ok       ok      ok        ok       ok           ok      ok            ok          ok       ok
POST /keep                            401       ok      ok        ok       ok           ok      ok            ok          ok       ok
POST /sign-out                        401       ok      ok        ok       ok           ok      ok            ok          ok       ok
GET  /ops                              in      403     403       403      403          403     403           403         403       ok
POST /ops/gaps                        401      403     403       403      403          403     403           403         403       ok
POST /ops/outbox                      401      403     403       403      403          403     403           403         403       ok
GET  /ops/parked                       in      403     403       403      403          403     403           403         403       ok
POST /ops/parked                      401      403     403       403      403          403     403           403         403       ok
GET  /ops/repairs                      in      403     403       403      403          403     403           403         403       ok
GET  /ops/repairs/<uuid:batch_id>      in      403     403       403      403          403     403           403         403       ok
POST /ops/repairs/<uuid:batch_id>/for-real
                                      401      403     403       403      403          403     403           403         403       ok
POST /ops/repairs/<uuid:batch_id>/stop
                                      401      403     403       403      403          403     403           403         403       ok
GET  /ops/services                     in      403     403       403      403          403     403           403         403       ok
"""

PAGES = {
    "intake": """
                                   nobody stranger removed elsewhere advocate agency_admin partner partner_admin coordinator operator
GET  /                                 in      403     403       403       ok          403     403           403         403       ok
GET  /new                              in      403     403       403       ok          403     403           403         403      403
POST /new                             401      403     403       403       ok          403     403           403         403      403
GET  /drafts/<uuid:draft_id>           in      403     403       403       ok          403     403           403         403      403
GET  /drafts/<uuid:draft_id>/<name>    in      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/<name>   401      403     403       403       ok          403     403           403         403      403
GET  /drafts/<uuid:draft_id>/<name>/<about>
                                       in      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/<name>/<about>
                                      401      403     403       403       ok          403     403           403         403      403
GET  /drafts/<uuid:draft_id>/check     in      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/check    401      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/discard  401      403     403       403       ok          403     403           403         403      403
GET  /drafts/<uuid:draft_id>/ends      in      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/later    401      403     403       403       ok          403     403           403         403      403
GET  /drafts/<uuid:draft_id>/sheet     in      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/sign/<about>
                                      401      403     403       403       ok          403     403           403         403      403
POST /drafts/<uuid:draft_id>/skip/<about>
                                      401      403     403       403       ok          403     403           403         403      403
POST /resume                          401      403     403       403      422          403     403           403         403      403
GET  /referrals                        in      403     403       403       ok          403     403           403         403      403
GET  /referrals/<uuid:referral_id>     in      403     403       403       ok          403     403           403         403      403
GET  /referrals/<uuid:referral_id>/sent
                                       in      403     403       403       ok          403     403           403         403      403
POST /referrals/<uuid:referral_id>/another
                                      401      403     403       403       ok          403     403           403         403      403
POST /referrals/<uuid:referral_id>/release
                                      401      403     403       403       ok          403     403           403         403      403
POST /referrals/<uuid:referral_id>/releases/<uuid:release_id>/revoke
                                      401      403     403       403       ok          403     403           403         403      403
POST /referrals/<uuid:referral_id>/withdraw
                                      401      403     403       403       ok          403     403           403         403      403
GET  /disclosures                     404      404     404       404      404          404     404           404         404      404
POST /disclosures                     401      404     404       404      404          404     404           404         404      404
POST /disclosures/enter               403      403     403       403      403          403     403           403         403      403
""",
    "routing": """
                                   nobody stranger removed elsewhere advocate agency_admin partner partner_admin coordinator operator
GET  /                                 in      403     403        ok      403          403      ok            ok          ok       ok
GET  /inbox                            in      403     403        ok      403          403      ok            ok         403      403
GET  /inbox/ended                      in      403     403        ok      403          403      ok            ok         403      403
GET  /offers/<reference>               in      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/accept       401      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/decline      401      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/contact      401      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/start        401      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/close        401      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/confirm-stop 401      403     403       404      403          403      ok            ok         403      403
POST /offers/<reference>/disclosure   401      403     403       404      403          403      ok            ok         403      403
GET  /console                          in      403     403       403      403          403     403           403          ok      403
POST /console/search                  401      403     403       403      403          403     403           403          ok      403
GET  /console/referrals/<uuid:referral_id>
                                       in      403     403       403      403          403     403           403          ok      403
GET  /console/referrals/<uuid:referral_id>/today
                                       in      403     403       403      403          403     403           403          ok      403
POST /console/referrals/<uuid:referral_id>/offer-to
                                      401      403     403       403      403          403     403           403          ok      403
POST /console/referrals/<uuid:referral_id>/cancel
                                      401      403     403       403      403          403     403           403          ok      403
POST /console/referrals/<uuid:referral_id>/clear-overdue
                                      401      403     403       403      403          403     403           403          ok      403
GET  /console/services                 in      403     403       403      403          403     403           403          ok      403
POST /console/services/<uuid:service_id>/pause
                                      401      403     403       403      403          403     403           403          ok      403
POST /console/services/<uuid:service_id>/resume
                                      401      403     403       403      403          403     403           403          ok      403
""",
    "notifications": """
                                   nobody stranger removed elsewhere advocate agency_admin partner partner_admin coordinator operator
GET  /                                 in      403     403       403      403          403     403           403         403       ok
GET  /ops/deliveries                   in      403     403       403      403          403     403           403         403       ok
POST /ops/deliveries/<uuid:delivery_id>/send-again
                                      401      403     403       403      403          403     403           403         403       ok
POST /ops/deliveries/send-again       401      403     403       403      403          403     403           403         403       ok
""",
}

# none: no token. audience: a token for another service. person: a token in the name of a member
# who is no machine. cookie: a person's sign-in and no token. A preview and the description hold
# nothing of a person or an organization, so every client of routing may ask for them.
APIS = {
    "intake": """
                                     none cookie expired audience stranger removed person elsewhere own
GET  /api/openapi.json                 ok     ok      ok       ok       ok      ok     ok        ok  ok
POST /api/referrals                   401    401     401      401      403     403    403       403  ok
GET  /api/referrals/<uuid:referral_id>
                                      401    401     401      401      403     403    403       404  ok
POST /api/referrals/<uuid:referral_id>/releases/<uuid:release_id>/revocation
                                      401    401     401      401      403     403    403       404  ok
POST /api/referrals/<uuid:referral_id>/withdrawal
                                      401    401     401      401      403     403    403       404  ok
""",
    "routing": """
                                     none cookie expired audience stranger removed person elsewhere own
GET  /api/openapi.json                 ok     ok      ok       ok       ok      ok     ok        ok  ok
POST /api/previews                    401    401     401      401      403     403    403        ok  ok
GET  /api/offers                      401    401     401      401      403     403    403        ok  ok
GET  /api/offers/<reference>          401    401     401      401      403     403    403       404  ok
POST /api/offers/<reference>/acceptance
                                      401    401     401      401      403     403    403       404  ok
POST /api/offers/<reference>/decline  401    401     401      401      403     403    403       404  ok
POST /api/offers/<reference>/contact  401    401     401      401      403     403    403       404  ok
POST /api/offers/<reference>/service-start
                                      401    401     401      401      403     403    403       404  ok
POST /api/offers/<reference>/closure  401    401     401      401      403     403    403       404  ok
POST /api/offers/<reference>/stop-confirmation
                                      401    401     401      401      403     403    403       404  ok
""",
    "notifications": "none own",
}

LET_IN = ("ok", "422")
Cells = Mapping[str, Mapping[str, str]]
"""What is expected of a route, by who asks."""


def read(table: str) -> Cells:
    """Read a table: a route too long for its line is followed by its cells on the next one."""
    head, *lines = [line.split() for line in table.strip().splitlines()]
    found: dict[str, dict[str, str]] = {}
    route = ""
    for words in lines:
        cells = words
        if words[0] in {"GET", "POST"}:
            route, cells = " ".join(words[:2]), words[2:]
        if cells:
            found[route] = dict(zip(head, cells, strict=True))
    return found


@dataclass(frozen=True)
class Question:
    """Somebody asks for something, and what should come of it."""

    who: str
    route: str
    args: Args
    expected: str


@pytest.fixture
def asking(place: Place, provider: Provider) -> Asking:
    return Asking(place, provider)


@pytest.fixture
def pages(service: str) -> Cells:
    return {**read(EVERY_SERVICE), **read(PAGES[service])}


@pytest.fixture
def api(service: str) -> Cells:
    return read(APIS[service])


def test_every_route_is_in_the_table(place: Place, pages: Cells, api: Cells) -> None:
    assert routes(place.app) == {*pages, *api}


def test_whoever_is_refused_changes_nothing(
    place: Place, asking: Asking, pages: Cells, api: Cells
) -> None:
    by_people, by_machines = _refused(place, pages), _refused(place, api)
    before = _content(place)

    wrong = _wrong(place, asking.by_person, by_people)
    wrong += _wrong(place, asking.by_machine, by_machines)

    assert wrong == []
    assert _content(place) == before


def test_whoever_is_let_in_gets_the_own_and_nothing_of_others(
    place: Place, asking: Asking, pages: Cells, api: Cells
) -> None:
    by_people, by_machines = _let_in(place, pages), _let_in(place, api)

    wrong = _wrong(place, asking.by_person, by_people)
    wrong += _wrong(place, asking.by_machine, by_machines)

    assert wrong == []


def test_no_form_is_taken_without_its_token(place: Place, asking: Asking, pages: Cells) -> None:
    forms = {route: cells for route, cells in pages.items() if route.startswith("POST")}
    wanted = [one for one in _let_in(place, forms) if one.expected == "ok" and one.who != NOBODY]
    before = _content(place)

    found = {asking.without_token(one.who, one.route, one.args) for one in wanted}

    assert found == {"400"}
    assert _content(place) == before


def test_text_that_the_database_cannot_hold_is_refused(
    place: Place, asking: Asking, pages: Cells, api: Cells
) -> None:
    by_people, by_machines = _with_nul(place, pages), _with_nul(place, api)

    wrong = _wrong(place, asking.by_person, by_people, more={"added": "a\0b"})
    wrong += _wrong(place, asking.by_machine, by_machines, more={"added": "a\0b"})

    assert wrong == []


def _with_nul(place: Place, table: Cells) -> list[Question]:
    """Ask for all that takes text, as whoever is let in."""
    return [
        replace(one, args={**one.args, **nul}, expected="400")
        for one in _let_in(place, table)
        if one.expected == "ok" and one.who != NOBODY
        for nul in [dict.fromkeys(re.findall(r"<(?:path:)?(\w+)>", one.route), "a\0b")]
        if nul or one.route.startswith("POST")
    ]


def _refused(place: Place, table: Cells) -> list[Question]:
    return [
        Question(who, route, args, cell)
        for route, cells in table.items()
        for args in [place.own(route)]
        for who, cell in cells.items()
        if cell not in LET_IN
    ]


def _let_in(place: Place, table: Cells) -> list[Question]:
    return [
        question
        for route, cells in table.items()
        for who, cell in cells.items()
        if cell in LET_IN
        for question in (
            *(Question(who, route, args, "404") for args in _others(place, route)),
            Question(who, route, place.own(route), cell),
        )
    ]


def _others(place: Place, route: str) -> Sequence[Args]:
    return place.others(route) if "<" in route else ()


def _wrong(
    place: Place,
    ask: Ask,
    questions: Sequence[Question],
    *,
    more: Mapping[str, str] | None = None,
) -> list[str]:
    found = [
        (
            one,
            ask(one.who, one.route, one.args, {**place.form(one.route, one.args), **(more or {})}),
        )
        for one in questions
    ]
    return [
        f"{one.who}, {one.route}: {came} instead of {one.expected}"
        for one, came in found
        if came != one.expected
    ]


def _content(place: Place) -> Mapping[str, list[str]]:
    """Return every row of the service, but for who is signed in."""
    with psycopg.connect(place.database.admin) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
            " and tablename <> 'session'"
        ).fetchall()
        return {
            name: sorted(
                row[0]
                for row in connection.execute(
                    sql.SQL("select t::text from {} t").format(sql.Identifier(name))
                )
            )
            for (name,) in tables
        }
