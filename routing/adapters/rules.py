"""A site's settings as the rules of routing need them."""

from typing import Final

from routing.application.ports import SiteRules
from routing.domain.clocks import Allowances, Calendar
from shared.contracts import codes
from shared.site import Site

_CODES: Final = {
    "needs": codes.NEEDS,
    "urgencies": codes.URGENCIES,
    "age_bands": codes.AGE_BANDS,
    "access_needs": codes.ACCESS_NEEDS,
    "preferences": codes.PREFERENCES,
    "contact_routes": codes.CONTACT_ROUTES,
    "decline_reasons": codes.DECLINE_REASONS,
    "coordinator_reasons": codes.COORDINATOR_REASONS,
    "clear_overdue_reasons": codes.CLEAR_OVERDUE_REASONS,
    "pause_reasons": codes.PAUSE_REASONS,
    "contact_kinds": codes.CONTACT_KINDS,
    "outcomes": codes.OUTCOMES,
}


def rules_of(site: Site) -> SiteRules:
    """Return the rules of a site."""
    limits = site.clocks
    return SiteRules(
        site=site.code,
        counties=frozenset(site.counties),
        calendar=Calendar(site.zone, site.office_hours, frozenset(site.holidays)),
        limits=Allowances(
            emergency_minutes=limits.emergency_minutes,
            urgent_hours=limits.urgent_hours,
            routine_days=limits.routine_days,
            first_contact_emergency_minutes=limits.first_contact_emergency_minutes,
            first_contact_urgent_hours=limits.first_contact_urgent_hours,
            first_contact_routine_days=limits.first_contact_routine_days,
            confirm_stop_hours=limits.confirm_stop_hours,
        ),
        codes={group: frozenset(known) for group, known in _CODES.items()},
    )
