"""The partners to choose from, each as a card with what to know before choosing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intake.adapters.pages.desk import Desk
from intake.adapters.pages.explain import tie_sentences, why_it_fits, why_not
from intake.adapters.pages.journey import Form
from intake.application.ports import Fit
from intake.domain.partners import Partner, Service
from shared.http.labels import label


@dataclass(frozen=True, slots=True)
class Card:
    """One partner. `ties` are whole sentences; `why` and `first_contact` may be empty."""

    partner_id: str
    name: str
    offers: str
    why: str
    kind: str
    confidentiality: str
    ties: tuple[str, ...]
    first_contact: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A partner that cannot be chosen, and the rule that decided, in words."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Board:
    """What the page of partners shows. `is_live` is false when routing did not answer in time."""

    is_live: bool
    cards: tuple[Card, ...]
    excluded: tuple[Excluded, ...]


def board(desk: Desk, form: Form) -> Board:
    """Return the partners that fit, best first, and why the others do not.

    Without an answer in time: every partner that is known here and offers one of the needs.
    """
    verdicts = desk.preview(form)
    if verdicts is None:
        return Board(is_live=False, cards=_known(form), excluded=())
    open_ids = set(form.asking.open_partners())
    by_id = {str(verdict.partner_id): verdict for verdict in verdicts}
    fitting = sorted((v for v in verdicts if v.fits and str(v.partner_id) in open_ids), key=_rank)
    fits = tuple(card(form, str(verdict.partner_id), verdict) for verdict in fitting)
    return Board(is_live=True, cards=fits, excluded=_excluded(form, by_id))


def card(form: Form, partner_id: str, verdict: Fit | None = None) -> Card:
    """Return one partner as a card; without a verdict it does not say why it fits."""
    partner = form.asking.partners[partner_id]
    wanted = set(form.values("needs").get("needs", ()))
    services = _services(partner, verdict, wanted)
    return Card(
        partner_id=partner_id,
        name=partner.name,
        offers=_offers(partner, services),
        why=why_it_fits(verdict.reasons, facts(form), form.asking.site) if verdict else "",
        kind=label("advocate-types", partner.advocate_type),
        confidentiality=label("confidentiality", partner.confidentiality),
        ties=tuple(tie_sentences(partner.name, partner.ties, form.asking.site)),
        first_contact=_first_contact(services, verdict),
    )


def facts(form: Form) -> Mapping[str, object]:
    """Return the facts that explain a fit: codes and ranges only."""
    return {**form.values("language"), **form.values("place")}


def _known(form: Form) -> tuple[Card, ...]:
    wanted = set(form.values("needs").get("needs", ()))
    return tuple(
        card(form, partner_id)
        for partner_id in form.asking.open_partners()
        if any(wanted & set(s.needs) for s in form.asking.partners[partner_id].services)
    )


def _excluded(form: Form, verdicts: Mapping[str, Fit]) -> tuple[Excluded, ...]:
    lines = [
        Excluded(form.asking.partner_name(key), why_not(verdict.reasons, form.asking.site))
        for key, verdict in verdicts.items()
        if not verdict.fits and key in form.asking.partners.keys() - form.asking.used
    ]
    return tuple(sorted(lines, key=lambda line: line.name))


def _services(partner: Partner, verdict: Fit | None, wanted: set[str]) -> Sequence[Service]:
    named = set(verdict.services) if verdict else set()
    by_verdict = [s for s in partner.services if s.service_id in named]
    return by_verdict or [s for s in partner.services if wanted & set(s.needs)]


def _offers(partner: Partner, services: Sequence[Service]) -> str:
    return "; ".join(s.description or s.name for s in services) or partner.description


def _first_contact(services: Sequence[Service], verdict: Fit | None) -> str:
    if verdict and verdict.expected_first_contact:
        return verdict.expected_first_contact
    return next((s.first_contact_text for s in services if s.first_contact_text), "")


def _rank(verdict: Fit) -> tuple[int, str]:
    return verdict.rank or 0, str(verdict.partner_id)
