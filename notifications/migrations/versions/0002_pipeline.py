"""Repairs in batches and tried out, and the pipeline's samples."""

from alembic import op

from shared.db.schema import BASE_0002_SQL, grants

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the base tables."""
    for part in (BASE_0002_SQL, grants("notifications", "0002")):
        op.execute(part)
