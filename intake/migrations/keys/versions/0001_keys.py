"""One key for each person and draft, wrapped by the agency's key; destroying one is erasure."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = """
create table data_key (
  owner_id uuid primary key,
  wrapper text not null,
  wrapped bytea not null,
  created_at timestamptz not null default now()
);
grant usage on schema public to intake_web, intake_worker;
grant select, insert, delete on data_key to intake_web;
grant select (owner_id, created_at), delete on data_key to intake_worker;
"""


def upgrade() -> None:
    """Make the table and give the roles what they need."""
    op.execute(SQL)
