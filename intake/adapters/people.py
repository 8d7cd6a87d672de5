"""Identity in PostgreSQL: only ever sealed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from intake.adapters import documents
from intake.adapters.keys import Seal
from intake.domain.people import Encounter, Person, SafeContact, Story, Wishes
from intake.domain.releases import PNG, Drawn, Signature
from shared.db import Tx
from shared.db.writes import Writes
from shared.errors import NotFound

_PROFILE, _CONTACT = "profile", "contact"


@dataclass(frozen=True, slots=True)
class PostgresPeople:
    """Works in the transaction that it is given; `erased` are people whose key has to go."""

    tx: Tx
    writes: Writes
    seal: Seal
    erased: list[UUID] = field(default_factory=list)

    def add(self, person_id: UUID, person: Person, contact: SafeContact) -> None:
        """Store a new person with a new key."""
        self.seal.begin(person_id)
        self.writes.add(
            "insert into person (person_id, profile, contact) values (%s, %s, %s)",
            (person_id, *self._answers(person_id, person, contact)),
        )

    def change(self, person_id: UUID, person: Person, contact: SafeContact) -> None:
        """Store a known person's newest answers."""
        changed = self.tx.execute(
            "update person set profile = %s, contact = %s, changed_at = now()"
            " where person_id = %s and erased_at is null",
            (*self._answers(person_id, person, contact), person_id),
        )
        if not changed.rowcount:
            raise NotFound("There is no such person.")

    def put_story(
        self, referral_id: UUID, person_id: UUID, encounter: Encounter, wishes: Wishes
    ) -> None:
        """Store what happened and what would help, for one referral."""
        happened, helps = _story_fields(referral_id)
        sealed = self.seal.close(
            person_id, {happened: documents.dump(encounter), helps: documents.dump(wishes)}
        )
        self.writes.add(
            "insert into story (referral_id, encounter, wishes) values (%s, %s, %s)",
            (referral_id, sealed[happened], sealed[helps]),
        )

    def put_signature(
        self, release_id: UUID, person_id: UUID, signature: Signature, statement: str
    ) -> None:
        """Store how a release was signed."""
        picture, about = f"signature/{release_id}", f"signed/{release_id}"
        sealed = self.seal.close(
            person_id,
            {
                picture: _picture(signature),
                about: json.dumps({**_how(signature), "statement": statement}).encode(),
            },
        )
        self.writes.add(
            "insert into release_signature (release_id, picture, about) values (%s, %s, %s)",
            (release_id, sealed[picture], sealed[about]),
        )

    def story(self, referral_id: UUID, person_id: UUID) -> Story:
        """Return all that was asked for a referral."""
        row = self.tx.execute(_STORY, (referral_id, person_id)).fetchone()
        if row is None:
            raise NotFound("There is no such person.")
        happened, helps = _story_fields(referral_id)
        opened = self.seal.open(
            person_id,
            {
                _PROFILE: bytes(row["profile"]),
                _CONTACT: bytes(row["contact"]),
                happened: bytes(row["encounter"]),
                helps: bytes(row["wishes"]),
            },
        )
        return Story(
            person=documents.person(opened[_PROFILE]),
            contact=documents.contact(opened[_CONTACT]),
            encounter=documents.encounter(opened[happened]),
            wishes=documents.wishes(opened[helps]),
        )

    def pseudonyms(self, person_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Return what these people are called; erased ones are left out."""
        rows = self.tx.execute(
            "select person_id, profile from person where person_id = any(%s)"
            " and erased_at is null",
            (list(person_ids),),
        )
        sealed = {row["person_id"]: bytes(row["profile"]) for row in rows}
        opened = self.seal.open_each(_PROFILE, sealed)
        return {owner: documents.person(plain).pseudonym for owner, plain in opened.items()}

    def erase(self, person_id: UUID) -> Sequence[UUID]:
        """Mark a person as erased and remove what is sealed."""
        marked = self.tx.execute(
            "update person set erased_at = coalesce(erased_at, now()), profile = null,"
            " contact = null, changed_at = now() where person_id = %s",
            (person_id,),
        )
        if not marked.rowcount:
            raise NotFound("There is no such person.")
        for statement in _ERASE:
            self.tx.execute(statement, (person_id,))
        self.erased.append(person_id)
        rows = self.tx.execute(
            "select referral_id from referral where person_id = %s", (person_id,)
        )
        return [row["referral_id"] for row in rows]

    def key_destroyed(self, person_id: UUID) -> None:
        """Note that an erased person's key is gone."""
        self.tx.execute(
            "update person set key_destroyed_at = now() where person_id = %s", (person_id,)
        )

    def keys_to_destroy(self, *, again: bool = False) -> Sequence[UUID]:
        """Return erased people whose key may still be there; `again`: everybody ever erased."""
        rows = self.tx.execute(
            "select person_id from person where erased_at is not null"
            " and (key_destroyed_at is null or %s)",
            (again,),
        )
        return [row["person_id"] for row in rows]

    def _answers(
        self, person_id: UUID, person: Person, contact: SafeContact
    ) -> tuple[bytes, bytes]:
        plain = {_PROFILE: documents.dump(person), _CONTACT: documents.dump(contact)}
        sealed = self.seal.close(person_id, plain)
        return sealed[_PROFILE], sealed[_CONTACT]


def _story_fields(referral_id: UUID) -> tuple[str, str]:
    return f"encounter/{referral_id}", f"wishes/{referral_id}"


def _picture(signature: Signature) -> bytes:
    return signature.picture if isinstance(signature, Drawn) else signature.scan


def _how(signature: Signature) -> dict[str, str]:
    if isinstance(signature, Drawn):
        return {"method": "drawn", "media_type": PNG}
    return {
        "method": "paper",
        "media_type": signature.media_type,
        "witness": signature.witness,
    }


_STORY = """
select profile, contact, encounter, wishes from person, story
where referral_id = %s and person_id = %s and erased_at is null
"""
_ERASE = (
    """
    delete from story
    where referral_id in (select referral_id from referral where person_id = %s)
    """,
    """
    delete from release_signature where release_id in (
      select release_id from release join referral using (referral_id) where person_id = %s)
    """,
    "update referral set facts = null where person_id = %s",
)
