"""Releases of information: one partner, named items, an end, and a signature (R-12, R-16)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from intake.domain.partners import Partner, is_barred
from intake.domain.people import SUBSTANCE_USE, Encounter
from intake.domain.rules import Problems, Rules

MOST_PARTNERS: Final = 3
MOST_PICTURE_BYTES: Final = 3 * 1024 * 1024
ALWAYS_ITEMS: Final = ("needs", "facts")
"""Without these a partner cannot say yes or no."""

PNG: Final = "image/png"
_STARTS: Final[Mapping[str, bytes]] = {
    PNG: b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "application/pdf": b"%PDF-",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A signature drawn on the device: a PNG."""

    picture: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OnPaper:
    """A signature on paper: the scan (PNG, JPEG or PDF) and who saw the person sign."""

    scan: bytes = field(repr=False)
    media_type: str
    witness: str


Signature = Drawn | OnPaper


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What a person signs for one partner.

    `rank` is the person's order from 1, `expires_on` the last day (site's calendar) on which it
    holds, `statement` the very words above the signature, `report_back` what the partner may
    tell the agency.
    """

    partner_id: UUID
    rank: int
    items: tuple[str, ...]
    report_back: tuple[str, ...]
    expires_on: date | None
    signature: Signature | None
    purpose: str = "referral"
    statement: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """A signed release as it is stored."""

    release_id: UUID
    partner_id: UUID
    rank: int
    items: tuple[str, ...]
    report_back: tuple[str, ...]
    expires_at: datetime
    purpose: str = "referral"
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it holds at this moment."""
        return self.revoked_at is None and now < self.expires_at

    def state(self, now: datetime) -> str:
        """Return live, revoked or expired."""
        if self.revoked_at is not None:
            return "revoked"
        return "live" if now < self.expires_at else "expired"


def default_expiry(rules: Rules, now: datetime) -> date:
    """Return the last day that a new release starts out with (R-16: 30 days)."""
    return now.astimezone(rules.zone).date() + timedelta(days=rules.release_default_days)


def latest_expiry(rules: Rules, now: datetime) -> date:
    """Return the latest last day that a release may have (R-16: 90 days)."""
    return now.astimezone(rules.zone).date() + timedelta(days=rules.release_cap_days)


def end_of(day: date, rules: Rules) -> datetime:
    """Return the moment at which a release ends: the last day's midnight at the site."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=rules.zone) + timedelta(days=1)
    return midnight.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What releases are checked against. `taken` are partners asked or released to before."""

    rules: Rules
    now: datetime
    partners: Mapping[UUID, Partner]
    encounter: Encounter
    needs: Sequence[str]
    taken: frozenset[UUID] = frozenset()


def check_releases(requests: Sequence[ReleaseRequest], around: Surroundings) -> Problems:
    """Return what is wrong with a referral's releases, by field; empty when they may be signed.

    A distinct, known recipient of this site each, not barred; at most three in a distinct order;
    items known; an end within the cap; a signature.
    """
    problems = Problems()
    for sentence in _together(requests):
        problems.add("releases", sentence)
    for index, request in enumerate(requests):
        for place, sentence in _faults(request, around):
            problems.add(f"releases.{index}.{place}", sentence)
    return problems


def _together(requests: Sequence[ReleaseRequest]) -> Iterator[str]:
    if not requests:
        yield "Choose at least one partner, or give an information sheet."
    if len(requests) > MOST_PARTNERS:
        yield f"Choose at most {MOST_PARTNERS} partners."
    if len({request.partner_id for request in requests}) < len(requests):
        yield "A partner was chosen twice. Choose each once."
    if len({request.rank for request in requests}) < len(requests):
        yield "Two partners have the same place. Give each its own."


def _faults(request: ReleaseRequest, around: Surroundings) -> Iterator[tuple[str, str]]:
    yield from _partner_faults(request, around)
    yield from _item_faults(request, around)
    yield from _expiry_faults(request, around)
    yield from _signature_faults(request.signature)
    if request.rank < 1:
        yield "rank", "Number the partners in the person's order, from 1."


def _partner_faults(request: ReleaseRequest, around: Surroundings) -> Iterator[tuple[str, str]]:
    partner = around.partners.get(request.partner_id)
    if partner is None:
        yield "partner_id", "This is not a partner. Choose one of the directory."
    elif partner.site != around.rules.site:
        yield "partner_id", "This partner belongs to another site."
    elif not partner.recipient:
        yield "partner_id", "This organization does not take referrals."
    elif is_barred(partner, around.encounter):
        yield "partner_id", "This partner must not hear of the person: see who was involved."
    elif partner.partner_id in around.taken:
        yield "partner_id", "This partner was asked before. Choose another."


def _item_faults(request: ReleaseRequest, around: Surroundings) -> Iterator[tuple[str, str]]:
    if not set(request.items) <= around.rules.codes["release-items"]:
        yield "items", "Choose from the items that a release can name."
    if not set(request.report_back) <= around.rules.codes["report-back-items"]:
        yield "report_back", "Choose from what a partner can report back."
    if not set(ALWAYS_ITEMS) <= set(request.items):
        yield "items", "Without the needs and the facts a partner cannot answer. Include both."
    if SUBSTANCE_USE in request.items and SUBSTANCE_USE not in around.needs:
        yield "items", "Help with alcohol or drugs is not among the needs. Leave this item out."


def _expiry_faults(request: ReleaseRequest, around: Surroundings) -> Iterator[tuple[str, str]]:
    last = latest_expiry(around.rules, around.now)
    if request.expires_on is None:
        yield "expires_on", "Enter the date the release ends."
    elif request.expires_on < around.now.astimezone(around.rules.zone).date():
        yield "expires_on", "The date the release ends has passed. Enter a later one."
    elif request.expires_on > last:
        yield "expires_on", f"Enter a date on or before {last.isoformat()}."


def _signature_faults(signature: Signature | None) -> Iterator[tuple[str, str]]:
    if signature is None:
        yield "signature", "The person has to sign the release."
        return
    if isinstance(signature, Drawn):
        media_type, picture = PNG, signature.picture
    else:
        media_type, picture = signature.media_type, signature.scan
        if not signature.witness.strip():
            yield "signature", "Say who saw the person sign."
    if not picture.startswith(_STARTS.get(media_type, b"\x00")):
        yield "signature", "The signature has to be a PNG, a JPEG or a PDF."
    if len(picture) > MOST_PICTURE_BYTES:
        yield "signature", "The scan is too large. Send one of at most 3 MB."
