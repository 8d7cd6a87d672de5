"""Partner staff who look at how to make contact, before and after a release is taken back."""

import csv
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin
from uuid import UUID, uuid4

import psycopg
import requests
from bs4 import BeautifulSoup
from psycopg.rows import dict_row

from routing.adapters.pages.tickets import Tickets, read_key
from shared.db.members import Member
from tests.faults.system import System

_PAUSE = 0.5
_HESITATION = 3.0
_SECONDS = 20.0
# Accepted now, or accepted before its release was taken back.
_OFFERS = """
select offer_id, reference, partner_id, release_id from offer
where state = 'accepted' or (state = 'cancelled' and answered_at is not null)
order by random() limit 1
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One time that somebody asked for the details, and whether they were shown."""

    reference: str
    release_id: UUID
    asked_at: float
    saw: bool


class Onlooker:
    """Looks at one offer after the other, each time through ticket, sign-in and button."""

    def __init__(self, system: System, name: str, stop: threading.Event) -> None:
        """Look for `name`, the person's, in what is shown."""
        self.looks: list[Look] = []
        self._system = system
        self._name = name
        self._stop = stop
        self._tickets = Tickets(system.urls["routing"], read_key(system.place.folder.ticket_key))
        self._staff = _staff(system)

    def run(self) -> None:
        """Look until told to stop; what fails because something is away is tried no more."""
        while not self._stop.wait(_PAUSE):
            try:
                self._look()
            except (requests.RequestException, psycopg.Error):
                continue

    def _look(self) -> None:
        with psycopg.connect(self._system.dsn("routing"), row_factory=dict_row) as connection:
            offer = connection.execute(_OFFERS).fetchone()
        if offer is None:
            return
        with requests.Session() as browser:
            form = self._enter(browser, offer).select_one("main form")
            if form is None:
                return
            self._stop.wait(random.uniform(0.0, _HESITATION))  # meanwhile it may be taken back
            asked_at = time.time()
            fields = {
                field["name"]: field.get("value", "") for field in form.select("input[name]")
            }
            url = f"{self._system.urls['intake']}/disclosures"
            shown = browser.post(url, data=fields, timeout=_SECONDS)
        saw = shown.status_code == HTTPStatus.OK and self._name in shown.text
        self.looks.append(Look(offer["reference"], offer["release_id"], asked_at, saw))

    def _enter(self, browser: requests.Session, offer: dict[str, Any]) -> BeautifulSoup:
        """Come with a ticket and sign in, as from the partner's inbox."""
        intake, subject = self._system.urls["intake"], self._staff[str(offer["partner_id"])]
        member = Member(
            uuid4(), self._system.place.issuer, subject, "", "partner", offer["partner_id"]
        )
        ticket = self._tickets.sign(member, offer["offer_id"], intake, datetime.now(UTC))
        came = browser.post(f"{intake}/disclosures/enter", {"ticket": ticket}, timeout=_SECONDS)
        link = _soup(came).select_one("main a[href*='/sign-in']")
        if link is None:
            return _soup(came)
        provider = browser.get(urljoin(intake, str(link["href"])), timeout=_SECONDS)
        return _soup(browser.post(provider.url, data={"sub": subject}, timeout=_SECONDS))


def _soup(answer: requests.Response) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def _staff(system: System) -> dict[str, str]:
    """Return a member of staff of each partner."""
    file = system.place.folder.site / "members.csv"
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    return {row["organization_id"]: row["subject"] for row in rows if row["role"] == "partner"}
