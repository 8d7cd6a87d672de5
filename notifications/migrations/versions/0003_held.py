"""What an operator sees of a held event, and sending again tried out."""

from alembic import op

from shared.db.schema import BASE_0003_SQL

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = "alter table send_again add column if not exists dry_run boolean not null default false"


def upgrade() -> None:
    """Change the base tables and those of deliveries."""
    for part in (BASE_0003_SQL, SQL):
        op.execute(part)
