"""The partner's inbox: what waits for an answer, one offer, and every step after it."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from routing.adapters.pages.parts import Parts, staff_of
from routing.adapters.queries import ENDED_SHOWN
from routing.application import partner
from routing.application.ports import Staff, Work
from routing.application.views import InboxItem, OfferDetail
from shared.errors import Conflict, Rejected
from shared.http.access import current_member, requires
from shared.http.render import page

ROLES = ("partner", "partner_admin")

_Verb = Callable[[str, Staff, Work], None]

_MISSING = {
    "reason": _l("Choose why you decline."),
    "kind": _l("Choose how contact was made."),
    "outcome": _l("Choose how it ended."),
}


def inbox(parts: Parts) -> Blueprint:
    """Build the partner's pages."""
    blueprint = Blueprint("inbox", __name__, template_folder="../templates")
    views = _Views(parts)
    rule = "/offers/<reference>"
    blueprint.add_url_rule("/inbox", "waiting", requires(*ROLES)(views.waiting))
    blueprint.add_url_rule("/inbox/ended", "ended", requires(*ROLES)(views.ended))
    blueprint.add_url_rule(rule, "offer", requires(*ROLES)(views.offer))
    for name in ("accept", "decline", "contact", "start", "close", "confirm_stop", "disclosure"):
        blueprint.add_url_rule(
            f"{rule}/{name.replace('_', '-')}",
            name,
            requires(*ROLES)(getattr(views, name)),
            methods=["POST"],
        )
    return blueprint


class _Views:
    """The views, around their parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def waiting(self) -> ResponseReturnValue:
        """Show what the organization holds: what must stop first, then by clock."""
        with self._parts.desk.read() as (queries, now):
            items = queries.inbox(current_member().organization_id, now)
        stops = [item for item in items if item.must_stop]
        return page(
            "routing/inbox.html",
            now=now,
            stops=stops,
            offered=_in_state(items, "offered"),
            accepted=_in_state(items, "accepted"),
        )

    def ended(self) -> ResponseReturnValue:
        """Show what the organization has finished with."""
        with self._parts.desk.read() as (queries, now):
            items = queries.inbox(current_member().organization_id, now, closed=True)
        return page("routing/inbox_ended.html", now=now, items=items, most=ENDED_SHOWN)

    def offer(self, reference: str) -> ResponseReturnValue:
        """Show one offer with what may be done now."""
        return self._page(reference)

    def accept(self, reference: str) -> ResponseReturnValue:
        """Accept, and show what comes next."""
        return self._act(reference, partner.accept_offer)

    def decline(self, reference: str) -> ResponseReturnValue:
        """Decline with a coded reason."""
        reason = request.form.get("reason", "")
        return self._act(
            reference,
            lambda ref, staff, work: partner.decline_offer(ref, reason, staff, work),
        )

    def contact(self, reference: str) -> ResponseReturnValue:
        """Record first contact, or a live introduction."""
        kind = request.form.get("kind", "")
        return self._act(
            reference, lambda ref, staff, work: partner.record_contact(ref, kind, staff, work)
        )

    def start(self, reference: str) -> ResponseReturnValue:
        """Record that the service started."""
        return self._act(reference, partner.record_service_started)

    def close(self, reference: str) -> ResponseReturnValue:
        """Finish, with the outcome where it may be reported."""
        outcome = request.form.get("outcome") or None
        return self._act(
            reference, lambda ref, staff, work: partner.close_referral(ref, outcome, staff, work)
        )

    def confirm_stop(self, reference: str) -> ResponseReturnValue:
        """Confirm that the organization stopped."""
        return self._act(reference, partner.confirm_stop)

    def disclosure(self, reference: str) -> ResponseReturnValue:
        """Sign a ticket and show the form that takes it to the agency's intake, by POST only."""
        member = current_member()
        with self._parts.desk.read() as (queries, now):
            detail = queries.offer(reference, member.organization_id, now)
        if "disclosure" not in detail.can:
            return self._page(reference, conflict=_state(detail))
        intake = self._parts.intake_urls[detail.agency]
        return page(
            "routing/disclosure.html",
            detail=detail,
            agency=self._parts.site.agency(detail.agency),
            target=f"{intake}/disclosures/enter",
            ticket=self._parts.tickets.sign(member, detail.offer_id, intake, now),
        )

    def _act(self, reference: str, verb: _Verb) -> ResponseReturnValue:
        staff = staff_of(current_member())
        try:
            with self._parts.desk.change() as work:
                verb(reference, staff, work)
        except Conflict as late:
            return self._page(reference, conflict=late.state or "", status=409)
        except Rejected as wrong:
            return self._page(reference, errors=_in_words(wrong), status=422)
        return redirect(url_for("inbox.offer", reference=reference), 303)

    def _page(
        self,
        reference: str,
        *,
        conflict: str = "",
        errors: dict[str, list[str]] | None = None,
        status: int = 200,
    ) -> Response:
        with self._parts.desk.read() as (queries, now):
            detail = queries.offer(reference, current_member().organization_id, now)
        return page(
            "routing/offer.html",
            status=409 if conflict else status,
            detail=detail,
            item=detail.item,
            agency=self._parts.site.agency(detail.agency),
            now=now,
            conflict=conflict,
            errors=errors or {},
        )


def _in_state(items: list[InboxItem], state: str) -> list[InboxItem]:
    return [item for item in items if item.state == state and not item.must_stop]


def _state(detail: OfferDetail) -> str:
    return detail.item.state


def _in_words(wrong: Rejected) -> dict[str, list[str]]:
    """Return the errors in the words of the labels, whatever code was sent."""
    return {
        name: [str(_MISSING.get(name, _("Choose one of the answers.")))] for name in wrong.fields
    }
