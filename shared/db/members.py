"""Members: what a signed-in person may do in this service."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from shared.db.pool import Tx
from shared.errors import Rejected

CLIENT: Final = """
select member_id, organization_id from member
where issuer = %(issuer)s and subject = %(client_id)s and role = 'client' and active
"""
"""The machine client of an access token, if it is an active member."""

_OVERSIGHT = frozenset({"coordinator", "operator", "monitor"})


@dataclass(frozen=True, slots=True)
class Member:
    """One role of one signed-in person; `name` is the staff member's own, for timelines."""

    member_id: UUID
    issuer: str
    subject: str
    name: str
    role: str
    organization_id: UUID


def find_member(tx: Tx, issuer: str, subject: str) -> list[Member]:
    """Return the active roles of a signed-in person, empty for a stranger."""
    rows = tx.execute(
        "select member_id, issuer, subject, name, role, organization_id from member"
        " where issuer = %s and subject = %s and active order by role",
        (issuer, subject),
    )
    return [Member(**row) for row in rows]


def save_members(tx: Tx, members: Sequence[Member]) -> None:
    """Make these the only active members.

    Raises:
        Rejected: somebody would hold an oversight role beside one that meets people or referrals.

    """
    refuse_forbidden_combinations((member.subject, member.role) for member in members)
    tx.execute("update member set active = false")
    with tx.cursor() as cursor:
        cursor.executemany(_SAVE, [asdict(member) for member in members])


def refuse_forbidden_combinations(held_by: Iterable[tuple[str, str]]) -> None:
    """Check who holds which role: (subject, role), all of one identity provider.

    Raises:
        Rejected: somebody would hold an oversight role beside one that meets people or referrals.

    """
    roles: dict[str, set[str]] = {}
    for subject, role in held_by:
        roles.setdefault(subject, set()).add(role)
    for subject, held in roles.items():
        if held & _OVERSIGHT and held - _OVERSIGHT:
            raise Rejected(
                f"Member {subject}: {', '.join(sorted(held))} may not be held by one person."
            )


# A known account in a known role keeps its id; a known id may get another account.
_SAVE = """
insert into member (member_id, issuer, subject, name, role, organization_id)
values (
  coalesce(
    (select member_id from member
     where issuer = %(issuer)s and subject = %(subject)s and role = %(role)s),
    %(member_id)s),
  %(issuer)s, %(subject)s, %(name)s, %(role)s, %(organization_id)s)
on conflict (member_id) do update set issuer = excluded.issuer, subject = excluded.subject,
  name = excluded.name, role = excluded.role, organization_id = excluded.organization_id,
  active = true
"""
