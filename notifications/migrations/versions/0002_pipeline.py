"""Repairs in batches and tried out, sending again too, and the pipeline's samples."""

from alembic import op

from shared.db.schema import BASE_0002_SQL, grants

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


SQL = "alter table send_again add column if not exists dry_run boolean not null default false"


def upgrade() -> None:
    """Change the base tables, and let sending again be tried out."""
    for part in (BASE_0002_SQL, grants("notifications", "0002"), SQL):
        op.execute(part)
