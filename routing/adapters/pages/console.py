"""The coordinator's console: queues, one referral with its decisions, and the directory.

Opaque references and released facts only: nothing here comes from a person's identity.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from babel.dates import format_time
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from routing.adapters.pages import words
from routing.adapters.pages.parts import Parts, staff_of
from routing.adapters.pages.today import compare_today
from routing.application import coordinator
from routing.application.ports import Staff, Work
from routing.application.views import QueueRow, ReferralPage
from shared.contracts.codes import QUEUES
from shared.errors import Conflict, NotFound, Rejected
from shared.http.access import current_member, requires
from shared.http.render import page

ROLE = "coordinator"
_LONGEST_REFERENCE = 20
_FOR_PEOPLE = ("overdue", "needs-person", "needs-new-release", "waiting-for-place")

_Verb = Callable[[Staff, Work], None]

_CONFLICTS = {
    "accepted": _l("A partner has accepted it. Cancel that first, then offer it to another one."),
    "changed": _l("The offer has changed since you looked, so nothing was taken back or ended."),
    "paused": _l("This service is paused already."),
    "active": _l("This service is not paused."),
    "closed": _l("This referral is closed."),
    "withdrawn": _l("The person has withdrawn this referral."),
}


def console(parts: Parts) -> Blueprint:
    """Build the coordinator's pages."""
    blueprint = Blueprint(
        "console", __name__, url_prefix="/console", template_folder="../templates"
    )
    views = _Views(parts)
    only = requires(ROLE)
    one = "/referrals/<uuid:referral_id>"
    service = "/services/<uuid:service_id>"
    blueprint.add_url_rule("", "queues", only(views.queues))
    blueprint.add_url_rule("/search", "search", only(views.search), methods=["POST"])
    blueprint.add_url_rule(one, "referral", only(views.referral))
    blueprint.add_url_rule(f"{one}/today", "today", only(views.today))
    blueprint.add_url_rule(f"{one}/offer-to", "offer_to", only(views.offer_to), methods=["POST"])
    blueprint.add_url_rule(f"{one}/cancel", "cancel", only(views.cancel), methods=["POST"])
    blueprint.add_url_rule(f"{one}/clear-overdue", "clear", only(views.clear), methods=["POST"])
    blueprint.add_url_rule("/services", "services", only(views.services))
    blueprint.add_url_rule(f"{service}/pause", "pause", only(views.pause), methods=["POST"])
    blueprint.add_url_rule(f"{service}/resume", "resume", only(views.resume), methods=["POST"])
    blueprint.context_processor(lambda: _vocabulary(parts))
    return blueprint


def _vocabulary(parts: Parts) -> dict[str, object]:
    return {
        "rule_name": words.rule_name,
        "check_words": lambda check: words.check_words(check, parts.site),
        "failed_words": lambda verdict: words.failed_words(verdict, parts.site),
        "decision_words": lambda decision: words.summary(decision, parts.site),
        "verdict_service": words.service_name,
        "need_name": words.need_name,
        "event_name": words.event_name,
        "event_code": words.event_code,
        "actor_name": words.actor_name,
        "clock_name": words.clock_name,
        "exact_time": lambda moment: _exact_time(parts.site.local(moment)),
    }


class _Views:
    """The views, around their parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def queues(self) -> ResponseReturnValue:
        """Show the counts of all queues and the rows of one, overdue first."""
        queue = request.args.get("queue", "")
        if queue and queue not in QUEUES:
            raise NotFound(_("There is no such queue."))
        with self._parts.desk.read() as (queries, now):
            counts = queries.queue_counts(now)
            rows = queries.queue_rows(now, queue=queue or None)
        rows.sort(key=_most_pressing)
        return page("routing/console.html", now=now, queue=queue, counts=counts, rows=rows)

    def search(self) -> ResponseReturnValue:
        """Find by reference, sent in the body: one hit opens it, several are listed."""
        reference = request.form.get("reference", "").strip().upper()[:_LONGEST_REFERENCE]
        if not reference:
            return redirect(url_for("console.queues"), 303)
        with self._parts.desk.read() as (queries, now):
            rows = queries.queue_rows(now, reference=reference)
        if len(rows) == 1:
            return redirect(url_for("console.referral", referral_id=rows[0].referral_id), 303)
        return page("routing/search.html", now=now, rows=rows, reference=reference)

    def referral(self, referral_id: UUID) -> ResponseReturnValue:
        """Show one referral: why it is where it is, and what can be done."""
        return self._page(referral_id)

    def today(self, referral_id: UUID) -> ResponseReturnValue:
        """Compare the referral with today's directory; nothing is decided or stored."""
        with self._parts.desk.read() as (queries, now):
            found = queries.referral(referral_id, now)
        with self._parts.desk.change() as work:
            version, verdicts = compare_today(referral_id, work)
        return page("routing/today.html", now=now, found=found, version=version, verdicts=verdicts)

    def offer_to(self, referral_id: UUID) -> ResponseReturnValue:
        """Offer to another partner with a live release."""
        reason = request.form.get("offer_reason", "")
        partner_id = _uuid(request.form.get("partner", ""))
        if partner_id is None:
            return self._page(referral_id, errors={"partner": [_("Choose a partner.")]})
        return self._act(
            referral_id,
            "offer_reason",
            lambda staff, work: coordinator.offer_to(referral_id, partner_id, reason, staff, work),
        )

    def cancel(self, referral_id: UUID) -> ResponseReturnValue:
        """Take the current offer back, or end the referral."""
        offer = request.form.get("offer", "")
        reason = request.form.get("cancel_reason", "")
        return self._act(
            referral_id,
            "cancel_reason",
            lambda staff, work: coordinator.cancel(referral_id, offer, reason, staff, work),
        )

    def clear(self, referral_id: UUID) -> ResponseReturnValue:
        """Take the referral out of "overdue"."""
        reason = request.form.get("clear_reason", "")
        return self._act(
            referral_id,
            "clear_reason",
            lambda staff, work: coordinator.clear_overdue(referral_id, reason, staff, work),
        )

    def services(self) -> ResponseReturnValue:
        """Show every service with its places, and pause or resume it."""
        return self._services()

    def pause(self, service_id: UUID) -> ResponseReturnValue:
        """Pause a service with a coded reason."""
        reason = request.form.get("reason", "")
        return self._act_on_service(
            service_id,
            lambda staff, work: coordinator.pause_service(service_id, reason, staff, work),
        )

    def resume(self, service_id: UUID) -> ResponseReturnValue:
        """End a pause."""
        return self._act_on_service(
            service_id, lambda staff, work: coordinator.resume_service(service_id, staff, work)
        )

    def _act(self, referral_id: UUID, field: str, verb: _Verb) -> ResponseReturnValue:
        staff = staff_of(current_member())
        try:
            with self._parts.desk.change() as work:
                verb(staff, work)
        except Conflict as late:
            return self._page(referral_id, conflict=_conflict(late))
        except Rejected:
            return self._page(referral_id, errors={field: [_("Choose a reason.")]})
        return redirect(url_for("console.referral", referral_id=referral_id), 303)

    def _act_on_service(self, service_id: UUID, verb: _Verb) -> ResponseReturnValue:
        staff = staff_of(current_member())
        try:
            with self._parts.desk.change() as work:
                verb(staff, work)
        except Conflict as late:
            return self._services(conflict=_conflict(late))
        except Rejected:
            field = f"reason-{service_id}"
            return self._services(errors={field: [_("Choose why it is paused.")]})
        return redirect(url_for("console.services", _anchor=f"service-{service_id}"), 303)

    def _page(
        self,
        referral_id: UUID,
        *,
        conflict: str = "",
        errors: dict[str, list[str]] | None = None,
    ) -> ResponseReturnValue:
        with self._parts.desk.read() as (queries, now):
            found = queries.referral(referral_id, now)
        return page(
            "routing/referral.html",
            status=409 if conflict else 422 if errors else 200,
            found=found,
            row=found.row,
            offerable=[release for release in found.releases if release.can_offer],
            now=now,
            conflict=conflict,
            errors=errors or {},
            chosen=_typed(),
            waits_on=_waits_on(found),
        )

    def _services(
        self, *, conflict: str = "", errors: dict[str, list[str]] | None = None
    ) -> ResponseReturnValue:
        with self._parts.desk.read() as (queries, now):
            rows = queries.services()
        return page(
            "routing/services.html",
            status=409 if conflict else 422 if errors else 200,
            rows=rows,
            now=now,
            conflict=conflict,
            errors=errors or {},
            place_words=_place_words,
        )


def _most_pressing(row: QueueRow) -> tuple[bool, int, bool, datetime]:
    """Order rows: overdue, then what waits for a person, then by clock, then without one."""
    waits_for = _FOR_PEOPLE.index(row.queue) if row.queue in _FOR_PEOPLE else len(_FOR_PEOPLE)
    return not row.overdue, waits_for, row.due is None, row.due or row.received_at


def _typed() -> dict[str, str]:
    """Return what was chosen in a form that came back with an error."""
    names = ("partner", "offer_reason", "cancel_reason", "clear_reason")
    return {name: request.form.get(name, "") for name in names}


def _waits_on(found: ReferralPage) -> str:
    """Return a sentence on who has to act now."""
    queue = found.row.queue
    return {
        "to-match": _("Matching looks at it next."),
        "waiting-for-place": _(
            "Every partner that fits is full or paused. It is tried again by itself"
            " when a place becomes free."
        ),
        "offered": _("%(name)s has it and has not answered yet.", name=found.row.holder),
        "accepted": _("%(name)s has accepted it.", name=found.row.holder),
        "needs-new-release": _(
            "Nobody is left that the person released it to. The advocate has been told;"
            " only the person can sign a new release."
        ),
        "needs-person": _("A person has to decide. See the reasons below."),
    }.get(queue, "")


def _conflict(late: Conflict) -> str:
    return str(_CONFLICTS.get(late.state or "", _("It is in another state now.")))


def _exact_time(local: datetime) -> str:
    locale = get_locale() or "en"
    return format_time(local, "medium", locale=locale).replace("\u202f", " ")


def _place_words(held: int, capacity: int | None) -> str:
    if capacity is None:
        return _("%(held)s held, no limit", held=held)
    return _("%(held)s of %(limit)s held", held=held, limit=capacity)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
