"""Repairs in batches and tried out, the pipeline's samples, and routing's busiest questions."""

from alembic import op

from shared.db.schema import BASE_0002_SQL, grants

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = """
-- The queues of a site, and what of them is not finished.
drop index referral_queue;
create index referral_queue on referral (site, queue, received_at) where erased_at is null;
create index if not exists referral_not_finished on referral (site, received_at)
  where erased_at is null and queue not in ('closed', 'withdrawn');

-- A partner's inbox, and the newest of what ended.
drop index if exists offer_inbox;
create index if not exists offer_at_hand on offer (partner_id)
  where state in ('offered', 'accepted') or (confirm_by is not null and stop_confirmed_at is null);
create index if not exists offer_ended on offer (partner_id, ended_at desc nulls first);

-- The release's own end, which never changes, beside the offer that stands on it.
alter table offer add column if not exists release_expires_at timestamptz;
update offer set release_expires_at = release.expires_at
from release where release.release_id = offer.release_id and offer.release_expires_at is null;
alter table offer alter column release_expires_at set not null;
drop index if exists offer_release;
create index if not exists offer_release_clock on offer (release_expires_at)
  where state in ('offered', 'accepted');
"""


def upgrade() -> None:
    """Change the base tables and routing's own."""
    for part in (BASE_0002_SQL, grants("routing", "0002"), SQL):
        op.execute(part)
