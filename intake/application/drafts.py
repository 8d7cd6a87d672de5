"""Drafts: nothing typed is lost, and nothing is kept longer than seven days (R-29)."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from intake.application.commands import Draft
from intake.application.ports import Work
from intake.domain.references import new_resume_code, plain_code
from intake.domain.rules import DRAFT_LIFE
from shared.errors import NotFound


def start_draft(content: bytes, *, member_id: UUID, work: Work) -> UUID:
    """Keep a new draft, sealed under its own key, and return its id."""
    draft_id = work.new_id()
    work.drafts.put(Draft(draft_id, member_id, content, work.now, work.now + DRAFT_LIFE))
    return draft_id


def load_draft(draft_id: UUID, *, member_id: UUID, work: Work) -> Draft:
    """Return a member's own draft.

    Raises:
        NotFound: it is not there, is another member's, or its seven days are over.

    """
    draft = work.drafts.get(draft_id)
    if draft is None or draft.member_id != member_id or draft.expires_at <= work.now:
        raise NotFound("There is no such form. It may have been sent or deleted.")
    return draft


def save_draft(draft_id: UUID, content: bytes, *, member_id: UUID, work: Work) -> None:
    """Keep what was typed so far.

    Raises:
        NotFound: as `load_draft`.

    """
    draft = load_draft(draft_id, member_id=member_id, work=work)
    work.drafts.put(replace(draft, content=content, saved_at=work.now))


def finish_later(draft_id: UUID, *, member_id: UUID, work: Work) -> str:
    """Return a code that opens the draft for any advocate of the agency, once shown.

    Raises:
        NotFound: as `load_draft`.

    """
    load_draft(draft_id, member_id=member_id, work=work)
    code = new_resume_code(work.pick)
    work.drafts.set_resume_code(draft_id, code)
    return code


def resume_draft(code: str, *, member_id: UUID, work: Work) -> UUID:
    """Hand the draft that a code opens to the member, and return its id.

    Raises:
        NotFound: the code opens nothing.

    """
    draft_id = work.drafts.take_over(plain_code(code), member_id)
    if draft_id is None:
        raise NotFound("This code opens no form. Check it, or start a new form.")
    return draft_id


def list_drafts(*, member_id: UUID, work: Work) -> Sequence[Draft]:
    """Return the member's drafts, the latest saved first."""
    return [draft for draft in work.drafts.of(member_id) if draft.expires_at > work.now]


def discard_draft(draft_id: UUID, *, member_id: UUID, work: Work) -> None:
    """Remove a draft; its key is destroyed once the unit of work is done.

    Raises:
        NotFound: as `load_draft`.

    """
    load_draft(draft_id, member_id=member_id, work=work)
    work.drafts.remove(draft_id)


def remove_expired_drafts(*, work: Work) -> Sequence[UUID]:
    """Remove drafts whose seven days are over; return their ids, whose keys must go too."""
    over = work.drafts.expired(work.now)
    for draft_id in over:
        work.drafts.remove(draft_id)
    return over
