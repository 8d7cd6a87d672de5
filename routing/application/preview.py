"""Who would fit: asked before anything is signed, answered, and forgotten (R-05)."""

from collections.abc import Collection
from uuid import UUID

from routing.application.ports import Work
from routing.application.views import Preview, PreviewedPartner
from routing.domain import matching
from routing.domain.matching import Situation, Verdict
from routing.domain.model import Directory, Facts


def preview(facts: Facts, barred: Collection[UUID], work: Work) -> Preview:
    """Return how every partner of the site stands to these facts; stores and logs nothing."""
    directory = work.store.directory()
    situation = Situation(
        facts, frozenset(barred), released=None, asked={}, places=work.store.places()
    )
    verdicts = matching.match(situation, directory, work.now)
    return Preview(
        directory_version=directory.version,
        rule_set=matching.RULE_SET,
        partners=tuple(_previewed(verdict, directory) for verdict in verdicts),
    )


def _previewed(verdict: Verdict, directory: Directory) -> PreviewedPartner:
    partner = directory.partners[verdict.partner_id]
    expected = (
        s.first_contact_text for s in partner.services if s.service_id == verdict.service_id
    )
    return PreviewedPartner(
        partner_id=verdict.partner_id,
        fits=verdict.fits,
        rank=verdict.rank,
        reasons=verdict.checks,
        services=verdict.services if verdict.fits else (),
        expected_first_contact=next(expected, ""),
    )
