"""The directory: a new version, and what the other services learn of it."""

from collections.abc import Sequence

from routing.application.ports import Work
from routing.domain.model import Partner


def import_directory(partners: Sequence[Partner], work: Work) -> int:
    """Make these partners the site's directory; return the number of the new version.

    Sets capacities, never what is held. Tells the public record of each partner that changed,
    and the withdrawal of each that is gone.
    """
    version = work.store.add_directory(partners)
    for partner in sorted(partners, key=lambda p: str(p.partner_id)):
        work.store.publish_partner(partner)
    kept = {partner.partner_id for partner in partners}
    for partner_id in sorted(set(work.store.published_partners()) - kept, key=str):
        work.store.withdraw_partner(partner_id)
    return version
