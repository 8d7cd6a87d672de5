"""What the pages of routing are built around."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.adapters.desk import Desk
from routing.adapters.pages.tickets import Tickets
from routing.application.ports import Staff
from shared.db.members import Member
from shared.site import Site


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the views need.

    `intake_urls` maps an agency's code to the address of its intake, without a slash at the end.
    """

    desk: Desk
    site: Site
    tickets: Tickets
    intake_urls: Mapping[str, str]


def staff_of(member: Member) -> Staff:
    """Return who acts: the organization is the member's own, never one from the request."""
    return Staff(member.member_id, member.organization_id)
