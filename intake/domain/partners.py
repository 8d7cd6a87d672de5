"""Partners as intake knows them: the public record, and who is barred for a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from intake.domain.people import Encounter


@dataclass(frozen=True, slots=True)
class Tie:
    """A partner's tie to an involved agency: run-by, funded-by, co-located, employs (R-11)."""

    agency: str
    kind: str


@dataclass(frozen=True, slots=True)
class Service:
    """The public record of one service."""

    service_id: UUID
    name: str
    description: str
    needs: tuple[str, ...]
    languages: tuple[str, ...] = ()
    minimum_age: int | None = None
    maximum_age: int | None = None
    counties: tuple[str, ...] = ()
    remote: bool = False
    hours_text: str = ""
    first_contact_text: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    """The public record of an organization; only a recipient may be sent referrals."""

    partner_id: UUID
    site: str
    name: str
    description: str
    website: str
    phone: str
    advocate_type: str
    confidentiality: str
    ties: tuple[Tie, ...]
    recipient: bool
    services: tuple[Service, ...]


def is_barred(partner: Partner, encounter: Encounter) -> bool:
    """Tell whether the partner must not hear of the person.

    It must not when the person said so, and when it is run, paid or housed by an involved
    agency or has its staff: a police-run victim unit is law enforcement (R-10).
    """
    named = {*encounter.involved_agencies, *encounter.do_not_tell}
    return str(partner.partner_id) in encounter.do_not_tell or any(
        tie.agency in named for tie in partner.ties
    )


def barred_partners(partners: Iterable[Partner], encounter: Encounter) -> tuple[UUID, ...]:
    """Return the ids of the partners that must not hear of the person, without reasons."""
    return tuple(sorted(p.partner_id for p in partners if is_barred(p, encounter)))
