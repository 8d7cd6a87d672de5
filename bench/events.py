"""Invented events as the product writes them: the same bytes for whoever is measured."""

import json
import random
from uuid import UUID

from shared.bus import Message
from shared.contracts.catalogue import CATALOGUE
from shared.db.outbox import Outbox

AGENCY = "brva"
TOPIC = f"intake.referral.{AGENCY}"
SUBMITTED = "intake.referral.submitted.v1"


def submitted(count: int) -> list[Message]:
    """Return one submission of each of `count` referrals."""
    return of_referrals(count, 1)


def of_referrals(count: int, each: int) -> list[Message]:
    """Return `each` events of every referral, in order for each and mixed among them."""
    chance, outbox = random.Random(1), Outbox(f"/intake/{AGENCY}")  # noqa: S311
    ids = [UUID(int=chance.getrandbits(128), version=4) for _ in range(count)]
    return [
        _message(outbox, referral_id, sequence)
        for sequence in range(1, each + 1)
        for referral_id in chance.sample(ids, len(ids))
    ]


def _message(outbox: Outbox, referral_id: UUID, sequence: int) -> Message:
    """Return a submission: the largest of the events that are many."""
    schema = CATALOGUE[SUBMITTED].schema
    data = schema.load(CATALOGUE[SUBMITTED].example | {"referral_id": str(referral_id)})
    row = outbox.row(type=SUBMITTED, agency=AGENCY, key=referral_id, sequence=sequence, data=data)
    _, topic, key, _, _, headers, payload = row
    return Message(topic, key, json.loads(headers), payload)
