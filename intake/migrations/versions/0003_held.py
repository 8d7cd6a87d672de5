"""What an operator sees of a held event."""

from alembic import op

from shared.db.schema import BASE_0003_SQL

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the base tables."""
    op.execute(BASE_0003_SQL)
