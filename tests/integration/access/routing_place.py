"""A site's routing, with offers to two partners, and another site behind the same tables."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from flask import Flask

from routing.adapters.desk import Desk
from routing.adapters.loops import clock_step
from routing.application import arrivals, coordinator, partner
from routing.application.directory import import_directory
from routing.application.ports import Staff
from routing.domain.model import Referral
from services import routing_web
from services.setup import new_secrets
from shared.config import RoutingWebSettings
from shared.db import open_pool
from tests.integration.access.places import (
    NEXT,
    OPERATION,
    OURS,
    THEIRS,
    Args,
    add_staff,
    closed_after,
    for_an_operator,
    settings_of,
)
from tests.integration.routing.test_events import FACTS
from tests.support.databases import Server, TestDatabase
from tests.support.web import a_site
from tests.unit.intake.builders import AGENCY_ID
from tests.unit.routing.builders import a_partner, a_referral, a_release, a_service

_FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/decline": {"reason": "other"},
    "/contact": {"kind": "contacted"},
    "/close": {"outcome": "ongoing-support"},
    "/closure": {"outcome": "ongoing-support"},
    "/pause": {"reason": "staffing"},
    "/offer-to": {"offer_reason": "safety", "partner": str(NEXT)},
    "/clear-overdue": {"clear_reason": "advocate-confirmed-contact"},
    "/search": {"reference": "WH-2222-22"},
    "/previews": {"facts": FACTS},
}
_STOPPED: Final = ("/confirm-stop", "/stop-confirmation")
_OVERDUE: Final = ("/clear-overdue",)
_ACCEPTED: Final = (
    *("/contact", "/start", "/service-start", "/close", "/closure", "/disclosure"),
    *_STOPPED,
    *_OVERDUE,
)


@dataclass(frozen=True)
class RoutingPlace:
    """Routing; `desk` is its worker's, `elsewhere` another site's."""

    app: Flask
    database: TestDatabase
    desk: Desk
    elsewhere: Desk

    def own(self, route: str) -> Args:
        if "service_id" in route:
            return self._service(paused=route.endswith("/resume"))
        if "reference" in route or "referral_id" in route:
            return self._offer(OURS, route)
        return for_an_operator(self.database)

    def others(self, route: str) -> Sequence[Args]:
        nowhere = {"referral_id": uuid4(), "service_id": uuid4(), "batch_id": uuid4()}
        if "referral_id" in route:
            return [nowhere, {"referral_id": _routed(self.elsewhere, OURS).referral_id}]
        if "reference" in route:
            return [{"reference": "WH-2222-22"}, self._offer(THEIRS, route)]
        return [nowhere]

    def form(self, route: str, args: Args) -> Mapping[str, Any]:
        if route.endswith("/cancel"):
            return {"cancel_reason": "duplicate", "offer": args.get("reference", "")}
        found = (form for end, form in _FORMS.items() if route.endswith(end))
        return OPERATION.get(route) or next(found, {})

    def _service(self, *, paused: bool) -> Args:
        found = a_service(service_id=uuid4())
        with self.desk.change() as work:
            import_directory([*_PARTNERS, a_partner(uuid4(), found)], work)
        if paused:
            with self.desk.change() as work:
                coordinator.pause_service(found.service_id, "staffing", Staff(uuid4(), NEXT), work)
        return {"service_id": found.service_id}

    def _offer(self, holder: UUID, route: str) -> Args:
        """Make an offer to the holder that stands as the route's verb needs it."""
        referral = _routed(self.desk, holder)
        with self.desk.change() as work:
            offer = work.store.lock(referral.referral_id).current
            assert offer is not None
            if route.endswith(_ACCEPTED):
                partner.accept_offer(offer.reference, Staff(uuid4(), holder), work)
        if route.endswith(_STOPPED):
            release = referral.releases[0]
            with self.desk.change() as work:
                arrivals.on_release_revoked(referral.referral_id, release.release_id, holder, work)
        if route.endswith(_OVERDUE):
            self._let_it_be_overdue(offer.offer_id)
        return {"referral_id": referral.referral_id, "reference": offer.reference}

    def _let_it_be_overdue(self, offer_id: UUID) -> None:
        with psycopg.connect(self.database.admin) as connection:
            connection.execute(
                "update offer set first_contact_by = now() - interval '1 hour'"
                " where offer_id = %s",
                (offer_id,),
            )
        while clock_step(self.desk)():
            continue


_PARTNERS: Final = tuple(a_partner(found) for found in (OURS, THEIRS, NEXT))


def _routed(desk: Desk, holder: UUID) -> Referral:
    """Have a referral offered to the holder; the next partner is released as well."""
    end = datetime.now(UTC) + timedelta(days=30)
    releases = (
        a_release(found, rank=rank, expires_at=end) for rank, found in enumerate((holder, NEXT), 1)
    )
    with desk.change() as work:
        referral = replace(
            a_referral(*releases), reference=work.new_reference(), site=work.rules.site
        )
        arrivals.route_referral(referral, work)
    return referral


@contextmanager
def routing_place(server: Server, folder: Path, issuer: str) -> Iterator[RoutingPlace]:
    """Give routing as its process builds it."""
    list(new_secrets(folder))
    with server.clone("routing") as database:
        settings = RoutingWebSettings(
            **settings_of(database, issuer),
            intake_urls={"brva": "http://intake.example.org"},
            ticket_key=folder / "ticket.jwk",
        )
        _staff(database, issuer)
        pool = routing_web.pool_of(settings)
        with (
            closed_after(routing_web.build(settings, pool)) as app,
            open_pool(database.owner, name="worker", size=2) as worker,
        ):
            site = a_site()
            desks = Desk(worker, site), Desk(worker, replace(site, code="elsewhere"))
            for desk in desks:
                with desk.change() as work:
                    import_directory(_PARTNERS, work)
            yield RoutingPlace(app, database, *desks)


def _staff(database: TestDatabase, issuer: str) -> None:
    add_staff(
        database,
        issuer,
        advocate=("advocate", AGENCY_ID),
        agency_admin=("agency_admin", AGENCY_ID),
        removed=("partner", OURS),
        elsewhere=("partner", THEIRS),
        partner=("partner", OURS),
        partner_admin=("partner_admin", OURS),
        coordinator=("coordinator", a_site().host.organization_id),
        operator=("operator", uuid4()),
        own_client=("client", OURS),
        removed_client=("client", OURS),
        other_client=("client", THEIRS),
    )
