"""A referral compared with today's directory: what matching would say now. Nothing is stored."""

from uuid import UUID

from routing.application.ports import Work
from routing.application.views import VerdictView
from routing.domain import decisions, matching
from routing.domain.matching import Verdict
from routing.domain.model import Directory, Referral


def compare_today(referral_id: UUID, work: Work) -> tuple[int, tuple[VerdictView, ...]]:
    """Return the active directory's version and the verdict on every partner of it, best first.

    Raises:
        NotFound: no such referral, or it was erased.

    """
    referral = work.store.lock(referral_id)
    directory = work.store.directory()
    outdated = decisions.outdated_releases(referral, directory, work.store.directory)
    situation = decisions.situation_of(referral, work.store.places(), outdated)
    verdicts = matching.match(situation, directory, work.now)
    return directory.version, tuple(_view(v, referral, directory) for v in verdicts)


def _view(verdict: Verdict, referral: Referral, directory: Directory) -> VerdictView:
    partner = directory.partners.get(verdict.partner_id)
    services = partner.services if partner else ()
    return VerdictView(
        partner_id=verdict.partner_id,
        partner_name=partner.name if partner else "",
        service_name=next((s.name for s in services if s.service_id == verdict.service_id), ""),
        released=referral.release_to(verdict.partner_id) is not None,
        chosen=False,
        rank=verdict.rank,
        excluded_by=verdict.excluded_by,
        checks=verdict.checks,
    )
