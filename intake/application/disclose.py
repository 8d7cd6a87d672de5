"""Disclosure: a partner that accepted sees how to make contact, as far as its release goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from intake.application.commands import Grant
from intake.application.ports import Disclosable, Read, Work
from intake.domain.partners import is_barred
from intake.domain.people import (
    PARTNER_CONTACTS,
    PERSON_CALLS,
    SUBSTANCE_USE,
    THROUGH_ADVOCATE,
    Channel,
    Story,
)
from intake.domain.referrals import ENDED, MAY_SEE
from shared.errors import NotAllowed, NotFound

READY: Final = "ready"
BEING_CONFIRMED: Final = "being-confirmed"
GRANT_LIFE: Final = timedelta(minutes=5)
"""So long routing's word for somebody holds: staff who leave are out within it (R-59)."""

_WAITING: Final = frozenset({"offered"})


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What the partner may see: the contact route first, then the details that were released.

    Names, code word, channels and needs are empty where no item releases them. `is_part_2`: the
    notice of 42 CFR part 2 must stand beside it (R-19). `must_ask_again`: the person said too long
    ago which ways are safe, so that only the advocate's is left until they say it again (R-27).
    """

    offer_reference: str
    route: str
    code_word: str
    channels: tuple[Channel, ...]
    contact_confirmed_at: datetime | None
    pseudonym: str
    name: str
    needs: tuple[str, ...]
    items: tuple[str, ...]
    release_expires_at: datetime
    read_at: datetime
    is_part_2: bool
    must_ask_again: bool


def use_ticket(ticket_id: str, *, work: Work) -> None:
    """Use up a ticket of routing.

    Raises:
        NotAllowed: it was used before.

    """
    if not work.disclosures.use_ticket(ticket_id, work.now):
        raise NotAllowed("This link was used already. Open the details from your inbox again.")


def disclosure_state(grant: Grant, *, work: Work) -> str:
    """Return READY, or BEING_CONFIRMED while routing's word has not come yet; reads nothing.

    Raises:
        NotAllowed: a new ticket is needed.
        NotFound: no live release to the organization, or the offer or the referral is over.

    """
    _require_fresh(grant, work.now)
    found = work.disclosures.held(grant.offer_id, grant.organization_id)
    if found is None and not work.disclosures.offer_is_known(grant.offer_id):
        return BEING_CONFIRMED
    held = _live(found, work.now)
    if held.offer.state in _WAITING:
        return BEING_CONFIRMED
    if held.offer.state not in MAY_SEE:
        raise _nothing()
    return READY


def read_disclosure(grant: Grant, *, work: Work) -> Disclosed:
    """Return what the release allows, checked at this moment and logged in one transaction.

    A revocation that comes first leaves nothing to read; one that comes now waits for the read.
    An organization whose tie to an involved agency became known since sees nothing (R-10).

    Raises:
        NotAllowed: a new ticket is needed.
        NotFound: no accepted offer, no live release to the organization, or it is barred by now.

    """
    _require_fresh(grant, work.now)
    found = work.disclosures.held(grant.offer_id, grant.organization_id)
    held = _live(found, work.now)
    if held.offer.state not in MAY_SEE:
        raise _nothing()
    story = work.people.story(held.referral_id, held.person_id)
    partner = work.partners.all().get(grant.organization_id)
    if partner is None or is_barred(partner, story.encounter):
        raise _nothing()
    work.disclosures.log(
        Read(
            kind="disclosure",
            reader=f"{grant.issuer} {grant.subject}",
            organization_id=grant.organization_id,
            referral_ids=(held.referral_id,),
            release_id=held.release.release_id,
            offer_id=held.offer.offer_id,
            items=held.release.items,
        )
    )
    return _released(held, story, work.now)


def _require_fresh(grant: Grant, now: datetime) -> None:
    if now - grant.opened_at > GRANT_LIFE:
        raise NotAllowed("This link has ended. Open the details from your inbox again.")


def _live(found: Disclosable | None, now: datetime) -> Disclosable:
    if found is None or found.status in ENDED or not found.release.is_live(now):
        raise _nothing()
    return found


def _nothing() -> NotFound:
    return NotFound("There is nothing to see here. The release may have been taken back.")


def _released(held: Disclosable, story: Story, now: datetime) -> Disclosed:
    items = held.release.items
    contact, route = story.contact if "contact" in items else None, story.contact.route
    must_ask_again = route == PARTNER_CONTACTS and not story.contact.is_confirmed(now)
    if must_ask_again:
        route = THROUGH_ADVOCATE
    protected = SUBSTANCE_USE in items
    needs = story.wishes.needs if "needs" in items else ()
    return Disclosed(
        offer_reference=held.offer.reference,
        route=route,
        code_word=contact.code_word if contact and route == PERSON_CALLS else "",
        channels=contact.channels if contact and route == PARTNER_CONTACTS else (),
        contact_confirmed_at=contact.confirmed_at if contact else None,
        pseudonym=story.person.pseudonym if "name" in items else "",
        name=(story.person.name or "") if "name" in items else "",
        needs=tuple(need for need in needs if protected or need != SUBSTANCE_USE),
        items=items,
        release_expires_at=held.release.expires_at,
        read_at=now,
        is_part_2=protected,
        must_ask_again=must_ask_again,
    )
