"""Erasing a person at the word of an advocate: what there is, then that it is gone (R-24)."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from uuid import UUID

from intake.adapters.units import Units, rules_of
from intake.application.queries import referrals_of_person
from intake.application.take_back import erase_person
from intake.domain.referrals import Referral
from services.intake_parts import open_keys
from services.site import safe_site
from shared.config import IntakeWebSettings
from shared.db import Tx, open_pool
from shared.db.members import find_member
from shared.db.wake import Waker
from shared.errors import NotAllowed

NAME = "erasure"


def what_is_kept(settings: IntakeWebSettings, reference: str) -> Sequence[Referral]:
    """Return all referrals of the person whom one of them, by reference or id, is about.

    Raises:
        NotFound: there is no such referral.

    """
    with _units(settings) as units, units.work() as work:
        return referrals_of_person(reference, work=work)


def erase(settings: IntakeWebSettings, reference: str, subject: str) -> None:
    """Erase that person and note for which advocate of the agency, by the subject of the sign-in.

    Raises:
        NotAllowed: nobody of the agency signs in so.
        NotFound: there is no such referral.

    """
    with _units(settings) as units, units.opened() as (tx, work):
        by = _staff(tx, settings.oidc_issuer, subject)
        erase_person(referrals_of_person(reference, work=work)[0].person_id, by=by, work=work)


@contextmanager
def _units(settings: IntakeWebSettings) -> Iterator[Units]:
    site = safe_site(settings.site)
    rules = rules_of(site, site.agency(settings.agency))
    with (
        open_pool(settings.database, name=NAME, size=1) as pool,
        closing(open_keys(settings, NAME)) as keys,
    ):
        yield Units(pool, keys, rules, Waker(settings.database).wake)


def _staff(tx: Tx, issuer: str, subject: str) -> UUID:
    for member in find_member(tx, issuer, subject):
        if member.role in {"advocate", "agency_admin"}:
            return member.member_id
    raise NotAllowed(f"No advocate of the agency signs in as {subject}.")
