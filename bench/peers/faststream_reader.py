"""FastStream as its manual shows it: a typed body, acknowledged when the handler is done.

It keeps no positions and no database: what comes twice takes effect twice.
"""

import asyncio
import time
from datetime import datetime
from uuid import UUID

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pydantic import BaseModel, Field

_BATCH = 500


class Facts(BaseModel):
    """The facts of intake.referral.submitted.v1, as shared/contracts/intake.py has them."""

    needs: list[str] = Field(min_length=1)
    urgency: str
    age_band: str
    languages: list[str]
    interpreter: bool
    access_needs: list[str]
    county: str
    preferences: list[str]
    contact_route: str


class Release(BaseModel):
    """One release."""

    release_id: UUID
    partner_id: UUID
    rank: int = Field(ge=1)
    expires_at: datetime
    items: list[str]
    report_back: list[str]


class Submitted(BaseModel):
    """The body."""

    referral_id: UUID
    reference: str = Field(min_length=1, max_length=16)
    site: str
    agency: str
    submitted_by: UUID
    facts: Facts
    releases: list[Release] = Field(min_length=1)
    barred_partners: list[UUID]


def consume(servers: str, topic: str, group: str, count: int) -> float:
    """Handle `count` records, `_BATCH` at a time; return the seconds from the first in hand."""
    return asyncio.run(_consume(servers, topic, group, count))


async def _consume(servers: str, topic: str, group: str, count: int) -> float:
    broker, finished = KafkaBroker(servers, logger=None), asyncio.Event()
    done, begun = 0, 0.0

    @broker.subscriber(
        topic,
        group_id=group,
        auto_offset_reset="earliest",
        batch=True,
        max_records=_BATCH,
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(events: list[Submitted]) -> None:
        nonlocal done, begun
        begun = begun or time.perf_counter()
        done += len(events)
        if done >= count:
            finished.set()

    async with broker:
        await broker.start()
        await finished.wait()
        return time.perf_counter() - begun
