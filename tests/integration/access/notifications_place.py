"""Notifications: deliveries belong to nobody who asks; the operator sees ids and states."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask

from notifications.application.tell import tell_of_offer
from notifications.domain.notices import Owner
from services import notifications_web
from shared.config import NotificationsWebSettings
from shared.db import open_pool
from tests.integration.access.places import (
    OPERATION,
    OURS,
    THEIRS,
    Args,
    add_staff,
    closed_after,
    for_an_operator,
    settings_of,
)
from tests.integration.notifications.conftest import PostgresWorld
from tests.support.databases import Server, TestDatabase
from tests.support.notifications import PARTNER, an_occasion, an_offer
from tests.support.web import a_site
from tests.unit.intake.builders import AGENCY_ID


@dataclass(frozen=True)
class NotificationsPlace:
    """Notifications; `world` is its worker's view."""

    app: Flask
    database: TestDatabase
    world: PostgresWorld

    def own(self, route: str) -> Args:
        return self._given_up() if "deliveries" in route else for_an_operator(self.database)

    def others(self, route: str) -> Sequence[Args]:
        return [{"delivery_id": uuid4(), "batch_id": uuid4()}]

    def form(self, route: str, args: Args) -> Mapping[str, Any]:
        return OPERATION.get(route) or OPERATION["POST /ops/parked"]

    def _given_up(self) -> Args:
        occasion = an_occasion()
        with self.world.store() as store:
            tell_of_offer(occasion, an_offer(datetime.now(UTC) + timedelta(hours=4)), store)
        self.world.execute("update delivery set state = 'exhausted', attempts = 4")
        return {"delivery_id": self.world.rows(occasion.referral_id)[0].delivery_id}


@contextmanager
def notifications_place(server: Server, folder: Path, issuer: str) -> Iterator[NotificationsPlace]:
    """Give notifications as its process builds it."""
    with server.clone("notifications") as database:
        settings = NotificationsWebSettings(**settings_of(database, issuer))
        _staff(database, issuer)
        with (
            closed_after(notifications_web.build(settings)) as app,
            open_pool(database.worker, name="worker", size=2) as pool,
        ):
            world = PostgresWorld(pool, database.owner, database.worker)
            world.a_point(Owner.PARTNER, PARTNER)
            yield NotificationsPlace(app, database, world)


def _staff(database: TestDatabase, issuer: str) -> None:
    add_staff(
        database,
        issuer,
        advocate=("advocate", AGENCY_ID),
        agency_admin=("agency_admin", AGENCY_ID),
        removed=("operator", uuid4()),
        elsewhere=("partner", THEIRS),
        partner=("partner", OURS),
        partner_admin=("partner_admin", OURS),
        coordinator=("coordinator", a_site().host.organization_id),
        operator=("operator", uuid4()),
    )
