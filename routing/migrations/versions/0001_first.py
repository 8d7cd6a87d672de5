"""The first schema: the base tables, then routing's own."""

from pathlib import Path

from alembic import op

from shared.db.schema import BASE_SQL, grants

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    op.execute(BASE_SQL)
    op.execute(grants("routing"))
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
