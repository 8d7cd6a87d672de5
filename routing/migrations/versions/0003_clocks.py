"""The clock of a wait for a place, escalations that come again, pauses beside the places."""

from alembic import op

from shared.db.schema import BASE_0003_SQL

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = """
-- Until when a referral may wait for a place. Who waits already has waited without a clock.
alter table referral add column if not exists place_by timestamptz;
update referral set place_by = now() where state = 'waiting-for-place' and place_by is null;

-- The correlation id that a referral came with; what a clock tells of it has the same.
alter table referral add column if not exists correlation_id text;

-- The directory when a release came: its partner may be tied to more agencies since.
alter table release add column if not exists directory_version bigint;

-- What a person has to look at: each reason once at a time for an offer.
alter table escalation drop constraint if exists escalation_referral_id_offer_id_reason_key;
create unique index if not exists escalation_open on escalation (referral_id, offer_id, reason)
  nulls not distinct where cleared_at is null;

-- Why a service is paused, in the row that an offer locks; `pause` has who and when.
alter table service_slot add column if not exists paused text not null default '';
update service_slot s set paused = p.reason
from pause p where p.service_id = s.service_id and p.resumed_at is null;
"""


def upgrade() -> None:
    """Change the base tables and routing's own."""
    for part in (BASE_0003_SQL, SQL):
        op.execute(part)
