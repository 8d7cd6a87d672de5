"""From what was typed to what the person said, and back, so that nothing is asked twice."""

import base64
from datetime import date, datetime
from uuid import UUID

from intake.adapters.pages.answers import Signature as Kept
from intake.adapters.pages.journey import Form, key_of
from intake.adapters.pages.said import day_parts
from intake.domain.people import Channel, Encounter, Person, SafeContact, Story, Wishes
from intake.domain.releases import Drawn, OnPaper, ReleaseRequest, Signature

Retyped = dict[str, dict[str, list[str]]]


def story(form: Form, now: datetime) -> Story:
    """Return all that was asked about the person."""
    place = form.values("place")
    return Story(
        person=_person(form),
        contact=_contact(form, now),
        encounter=encounter(form),
        wishes=Wishes(
            needs=tuple(form.values("needs").get("needs", ())),
            urgency=form.values("urgency").get("urgency", ""),
            county=place.get("county", ""),
            preferences=tuple(place.get("preferences", ())),
        ),
    )


def encounter(form: Form) -> Encounter:
    """Return what happened; it says who must not hear of the person."""
    answers = form.values("happened")
    day = answers.get("happened_on")
    return Encounter(
        role=answers.get("role", ""),
        involved_agencies=tuple(form.values("involved").get("involved", ())),
        do_not_tell=tuple(form.values("not-told").get("not_told", ())),
        happened_on=date.fromisoformat(day) if day else None,
    )


def releases(form: Form) -> tuple[ReleaseRequest, ...]:
    """Return what was signed, in the person's order."""
    return tuple(_release(form, partner, rank) for rank, partner in enumerate(form.chosen(), 1))


def retyped(told: Story, now: datetime) -> Retyped:
    """Return the pages as they were typed.

    Whether it is safe now is asked anew (R-29), and so is how contact is safe when that was said
    long ago (R-27).
    """
    person, happened = told.person, told.encounter
    return {
        "about": {
            "age_band": [person.age_band],
            "guardian": [_yes_no(person.under_guardianship)],
            "officer": [_yes_no(person.works_in_law_enforcement)],
        },
        "name": {"called": [person.pseudonym], "legal_name": [person.name or ""]},
        "language": {
            "languages": list(person.languages),
            "interpreter": [_yes_no(person.interpreter)],
        },
        "access": {"access_needs": list(person.access_needs)},
        "happened": {"role": [happened.role], **_day(happened)},
        "involved": {"involved": list(happened.involved_agencies)},
        "not-told": {"not_told": list(happened.do_not_tell)},
        **(_contact_retyped(told.contact) if told.contact.is_confirmed(now) else {}),
    }


def wishes_retyped(told: Story) -> Retyped:
    """Return the pages on what would help, as they were typed."""
    wishes = told.wishes
    return {
        "needs": {"needs": list(wishes.needs)},
        "urgency": {"urgency": [wishes.urgency]},
        "place": {"county": [wishes.county], "preferences": list(wishes.preferences)},
    }


def _person(form: Form) -> Person:
    about, name = form.values("about"), form.values("name")
    language = form.values("language")
    return Person(
        pseudonym=name.get("called", ""),
        age_band=about.get("age_band", ""),
        languages=tuple(language.get("languages", ())),
        interpreter=language.get("interpreter") == "yes",
        access_needs=tuple(form.values("access").get("access_needs", ())),
        name=name.get("legal_name") or None,
        under_guardianship=about.get("guardian") == "yes",
        works_in_law_enforcement=about.get("officer") == "yes",
    )


def _contact(form: Form, now: datetime) -> SafeContact:
    route = form.values("contact").get("contact_route", "")
    chosen = form.values("channels").get("channels", ()) if route == "partner-contacts" else ()
    word = form.values("code-word").get("code_word", "") if route == "person-calls" else ""
    return SafeContact(
        route=route,
        code_word=word,
        channels=tuple(_channel(form, code) for code in chosen),
        confirmed_at=now,
    )


def _channel(form: Form, code: str) -> Channel:
    answers = form.values("channel", code)
    return Channel(
        channel=code,
        address=answers.get("value", ""),
        leave_message_ok=answers.get("leave_message") == "yes",
        identify_agency_ok=answers.get("name_agency") == "yes",
        when=answers.get("times", ""),
        who_may_answer=answers.get("who_may_answer", ""),
        ask_for=answers.get("ask_for", ""),
    )


def _release(form: Form, partner: str, rank: int) -> ReleaseRequest:
    answers = form.values("release", partner)
    kept = form.answers.signatures.get(partner)
    return ReleaseRequest(
        partner_id=UUID(partner),
        rank=rank,
        items=tuple(answers.get("items", ())),
        report_back=tuple(answers.get("report_back", ())),
        expires_on=date.fromisoformat(answers["until"]) if answers.get("until") else None,
        signature=_signature(kept) if kept else None,
        statement=kept.statement if kept else "",
    )


def _signature(kept: Kept) -> Signature:
    picture = base64.b64decode(kept.picture)
    if kept.method == "drawn":
        return Drawn(picture)
    return OnPaper(picture, kept.media_type, kept.witness)


def _contact_retyped(contact: SafeContact) -> Retyped:
    channels = {
        key_of("channel", channel.channel): {
            "value": [channel.address],
            "leave_message": [_yes_no(channel.leave_message_ok)],
            "name_agency": [_yes_no(channel.identify_agency_ok)],
            "times": [channel.when],
            "who_may_answer": [channel.who_may_answer],
            "ask_for": [channel.ask_for],
        }
        for channel in contact.channels
    }
    return {
        "contact": {"contact_route": [contact.route]},
        "code-word": {"code_word": [contact.code_word]},
        "channels": {"channels": [channel.channel for channel in contact.channels]},
        **channels,
    }


def _day(happened: Encounter) -> dict[str, list[str]]:
    return day_parts("happened_on", happened.happened_on) if happened.happened_on else {}


def _yes_no(said: bool) -> str:  # noqa: FBT001
    return "yes" if said else "no"
