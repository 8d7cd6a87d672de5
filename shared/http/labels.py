"""The words that people read for every code, the same everywhere."""

from collections.abc import Iterable, Mapping
from typing import Final

from babel import Locale, UnknownLocaleError
from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l

LABELS: Final[Mapping[str, Mapping[str, LazyString]]] = {
    "needs": {
        "crisis-counseling": _l("Someone to talk to now"),
        "trauma-therapy": _l("Counseling or therapy"),
        "peer-support": _l("Support from people who have been through it"),
        "compensation-help": _l("Help to apply for victim compensation"),
        "legal-advocacy": _l("Legal help or an advocate"),
        "bereavement": _l("Help with a funeral or with grief"),
        "medical": _l("Medical care"),
        "housing-safety": _l("A safe place to stay"),
        "immigration-help": _l("Immigration help"),
        "interpretation": _l("An interpreter"),
        "restorative-dialogue": _l("A healing circle or dialogue"),
        "substance-use": _l("Help with alcohol or drugs"),
        "health": _l("Health"),
    },
    "urgencies": {
        "emergency": _l("Emergency: within the hour"),
        "urgent": _l("Urgent: today"),
        "routine": _l("Soon: in the next days"),
    },
    "age-bands": {
        "0-12": _l("12 or younger"),
        "13-17": _l("13 to 17"),
        "18-24": _l("18 to 24"),
        "25-59": _l("25 to 59"),
        "60-plus": _l("60 or older"),
    },
    "roles": {
        "directly-injured": _l("Was hurt"),
        "bereaved": _l("Lost someone"),
        "witness": _l("Saw it happen"),
        "household-member": _l("Lives with someone it happened to"),
        "community-member": _l("Part of the community it happened in"),
        "officer": _l("Is an officer"),
    },
    "access-needs": {
        "step-free": _l("A place without steps"),
        "asl": _l("American Sign Language"),
        "relay-call": _l("Calls through a relay service"),
        "large-print": _l("Large print"),
        "screen-reader": _l("Works with a screen reader"),
        "reading-help": _l("Help with reading and forms"),
        "plain-language": _l("Plain language"),
    },
    "preferences": {
        "remote": _l("By phone or video"),
        "in-person": _l("In person"),
        "evening-hours": _l("In the evening"),
        "community-based": _l("A community organization"),
    },
    "contact-routes": {
        "through-advocate": _l("Through the advocate"),
        "person-calls": _l("The person calls, with a code word"),
        "partner-contacts": _l("The partner contacts the person"),
    },
    "channels": {
        "call": _l("Phone call"),
        "text": _l("Text message"),
        "email": _l("Email"),
        "post": _l("Letter"),
        "in-person": _l("In person"),
    },
    "advocate-types": {
        "community": _l("Community organization"),
        "system": _l("Part of the police, a prosecutor or a court"),
        "clinical": _l("Health care provider"),
        "legal": _l("Legal services"),
        "peer": _l("Peers: people who have been through it"),
    },
    "confidentiality": {
        "privileged": _l("Confidential, and protected in court"),
        "confidential": _l("Confidential"),
        "discoverable": _l(
            "Not confidential: police, prosecutors or courts may learn what is said"
        ),
    },
    "tie-kinds": {
        "run-by": _l("run by"),
        "funded-by": _l("paid by"),
        "co-located": _l("in the same building as"),
        "employs": _l("has staff from"),
    },
    "release-items": {
        "needs": _l("What help is needed"),
        "facts": _l("Age range, languages, area and access needs"),
        "name": _l("The name"),
        "contact": _l("How to make contact safely"),
        "substance-use": _l("That help with alcohol or drugs is needed"),
    },
    "report-back-items": {
        "answer-detail": _l("Why the partner said no, if it does"),
        "first-contact": _l("That contact was made"),
        "service-started": _l("That the service started"),
        "outcome": _l("How it ended"),
    },
    "decline-reasons": {
        "no-capacity": _l("No room now"),
        "waitlist": _l("Only a waiting list"),
        "not-eligible": _l("The person does not qualify"),
        "conflict": _l("Conflict of interest"),
        "language": _l("Language cannot be served"),
        "unsafe": _l("Not safe to serve"),
        "cannot-reach": _l("Cannot be reached as released"),
        "other": _l("Another reason"),
    },
    "coordinator-reasons": {
        "partner-asked": _l("The partner asked"),
        "duplicate": _l("Sent twice"),
        "wrong-service": _l("Wrong service"),
        "safety": _l("Safety"),
        "no-answer": _l("No answer"),
        "advocate-asked": _l("The advocate asked"),
    },
    "cancel-reasons": {
        "release-revoked": _l("The release was taken back"),
        "release-expired": _l("The release ended"),
        "withdrawn": _l("Withdrawn by the person"),
        "partner-asked": _l("The partner asked"),
        "duplicate": _l("Sent twice"),
        "wrong-service": _l("Wrong service"),
        "safety": _l("Safety"),
        "no-answer": _l("No answer"),
        "advocate-asked": _l("The advocate asked"),
    },
    "clear-overdue-reasons": {
        "advocate-confirmed-contact": _l("The advocate confirmed that contact was made"),
        "partner-confirmed-contact": _l("The partner confirmed that contact was made"),
    },
    "pause-reasons": {
        "staffing": _l("Not enough staff"),
        "closed": _l("Closed"),
        "quality": _l("Quality of service"),
        "safety": _l("Safety"),
        "partner-asked": _l("The partner asked"),
    },
    "outcomes": {
        "service-completed": _l("Service completed"),
        "ongoing-support": _l("Support goes on"),
        "person-declined-service": _l("The person did not want the service"),
        "could-not-reach": _l("The person could not be reached"),
        "referred-elsewhere": _l("Went to another service"),
    },
    "contact-kinds": {
        "contacted": _l("Contact made"),
        "introduced-live": _l("Introduced live"),
    },
    "queues": {
        "to-match": _l("To match"),
        "waiting-for-place": _l("Waiting for a place"),
        "offered": _l("Offered"),
        "overdue": _l("Overdue"),
        "needs-new-release": _l("Needs a new release"),
        "needs-person": _l("Needs a person"),
    },
    "escalations": {
        "first-contact-overdue": _l("First contact is overdue"),
        "contact-not-reported": _l("Ask the person whether contact was made"),
        "delivery-exhausted": _l("The partner could not be told"),
        "revoked-after-acceptance": _l("Release taken back after the partner accepted"),
        "stop-not-confirmed": _l("The partner has not confirmed that it stopped"),
        "no-place": _l("No partner had a place in time"),
        "unknown-code": _l("Something here is new to this system: a person must look"),
    },
    "templates": {
        "offer-waiting": _l("A referral waits for an answer"),
        "offer-stopped": _l("Stop work on a referral"),
        "needs-new-release": _l("A referral needs a new release"),
        "needs-attention": _l("A referral needs attention"),
    },
    "delivery-channels": {"email": _l("Email"), "webhook": _l("Webhook")},
    "ops-reasons": {
        "cause-mended": _l("The cause is mended"),
        "duplicate-record": _l("Duplicate record"),
        "test-record": _l("Test record"),
        "obsolete": _l("No longer needed"),
        "lost-in-retention": _l("Lost: kept too short a time"),
    },
    "ops-actions": {
        "replay": _l("Replay"),
        "discard": _l("Discard"),
        "close-gap": _l("Close a gap"),
        "resend": _l("Send again what the bus refused"),
    },
    "parked-reasons": {
        "handler-failed": _l("An error of ours, see the log"),
        "header-missing": _l("A header is missing"),
        "key-mismatch": _l("The key and the content do not fit"),
        "malformed": _l("Not readable"),
        "newer-version": _l("Newer than this version reads"),
        "not-binary-json": _l("Not in the agreed form"),
        "other-site": _l("Of another site"),
        "unknown-referral": _l("Of a referral that is not here"),
        "wrong-agency": _l("Of another agency"),
        "wrong-shape": _l("Not the shape of its type"),
        "wrong-site": _l("Of another site"),
        "wrong-source": _l("Not from the owner of the topic"),
    },
    "ops-outcomes": {
        "replayed": _l("Applied"),
        "discarded": _l("Discarded"),
        "already-applied": _l("Had taken effect already: nothing was changed"),
        "already-closed": _l("Was not parked any more: nothing was changed"),
        "not-its-turn": _l("Not its turn yet: nothing was changed"),
        "gap-closed": _l("Gap closed"),
        "next-fails": _l("Gap closed; the event behind it failed and is parked"),
        "no-gap": _l("There was no gap any more"),
        "resent": _l("Handed to the bus again"),
        "not-refused": _l("Was not refused any more: nothing was changed"),
        "stopped": _l("Stopped by an operator before its turn"),
    },
    "dry-outcomes": {
        "replayed": _l("Would be applied"),
        "already-applied": _l("Took effect already: a replay would change nothing"),
        "already-closed": _l("Is not parked any more"),
        "gap-closed": _l("Would go on: what waits behind the gap would be applied"),
        "next-fails": _l("The gap would be closed, but the event behind it would fail"),
        "no-gap": _l("There is no gap any more"),
        "resent": _l("Would be handed to the bus again"),
        "not-refused": _l("Is not refused any more"),
        "stopped": _l("Stopped by an operator before its turn"),
    },
    "pipeline-series": {
        "events_out": _l("Events out"),
        "events_in": _l("Events in"),
        "leaving": _l("Waiting to leave"),
        "reading": _l("Waiting to be read"),
        "held": _l("Held"),
        "parked": _l("Parked"),
    },
    "member-roles": {
        "advocate": _l("Advocate"),
        "agency_admin": _l("Agency administrator"),
        "partner": _l("Partner staff"),
        "partner_admin": _l("Partner administrator"),
        "coordinator": _l("Coordinator"),
        "operator": _l("Operator"),
        "monitor": _l("Monitor"),
        "client": _l("System"),
    },
    "statuses": {
        "draft": _l("Not sent yet"),
        "submitted": _l("Sent"),
        "to-match": _l("To match"),
        "waiting-for-place": _l("Waiting for a place"),
        "offered": _l("Offered"),
        "accepted": _l("Accepted"),
        "declined": _l("Declined"),
        "expired": _l("Not answered in time"),
        "offer-expired": _l("Not answered in time"),
        "overdue": _l("Overdue"),
        "needs-new-release": _l("Needs a new release"),
        "needs-person": _l("Needs a person"),
        "escalated": _l("Needs attention"),
        "contacted": _l("Contact made"),
        "introduced-live": _l("Introduced live"),
        "service-started": _l("Service started"),
        "closed": _l("Closed"),
        "cancelled": _l("Cancelled"),
        "withdrawn": _l("Withdrawn"),
        "revoked": _l("Taken back"),
        "live": _l("Live"),
        "paused": _l("Paused"),
        "full": _l("Full"),
        "pending": _l("Waiting"),
        "waiting": _l("Waiting"),
        "sending": _l("Being sent"),
        "delivered": _l("Delivered"),
        "exhausted": _l("Not delivered"),
    },
}

STATUS_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("accepted", "contacted", "introduced-live", "service-started"), "good"),
    **dict.fromkeys(("live", "delivered"), "good"),
    **dict.fromkeys(("overdue", "needs-person", "escalated", "exhausted", "revoked"), "danger"),
    **dict.fromkeys(("waiting-for-place", "needs-new-release", "paused", "full"), "soon"),
    **dict.fromkeys(("expired", "offer-expired", "declined", "closed", "cancelled"), "done"),
    **dict.fromkeys(("withdrawn", "draft"), "done"),
}
"""The shape and colour of a status: open (default), good, soon, danger or done."""


def label(group: str, code: str) -> str:
    """Return the words for a code in the reader's language.

    A code that this version does not know reads as itself without the hyphens, so that a newer
    sender never breaks a page.
    """
    known = LABELS.get(group.lower().replace("_", "-"), {}).get(code)
    return code.replace("-", " ") if known is None else str(known)


def choices(group: str, codes: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Return (code, words) pairs for a group of tiles; all codes of the group unless named."""
    wanted = LABELS[group.lower().replace("_", "-")] if codes is None else codes
    return [(code, label(group, code)) for code in wanted]


def status_kind(code: str) -> str:
    """Return how a status looks: open, good, soon, danger or done."""
    return STATUS_KINDS.get(code, "open")


def language_name(tag: str) -> str:
    """Return the name of a BCP 47 language tag in the reader's language."""
    if tag == "ase":
        return str(_l("American Sign Language"))
    try:
        return Locale.parse(tag, sep="-").get_display_name(get_locale() or "en") or tag
    except (UnknownLocaleError, ValueError):
        return tag
