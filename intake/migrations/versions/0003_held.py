"""What an operator sees of a held event, and the open referrals of an advocate's list."""

from alembic import op

from shared.db.schema import BASE_0003_SQL

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = """
create index if not exists referral_open on referral (status)
  where status not in ('closed', 'erased', 'withdrawn');
create index if not exists referral_over on referral (changed_at desc, referral_id)
  where status in ('closed', 'withdrawn');
drop index if exists referral_changed;
"""


def upgrade() -> None:
    """Change the base tables and intake's own."""
    for part in (BASE_0003_SQL, SQL):
        op.execute(part)
