"""Contact points, deliveries, and one thread of outgoing events for each referral."""

from alembic import op

from shared.db.schema import BASE_SQL, grants

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = """
-- Where staff and organizations are told that something waits for them.
create table contact_point (
  endpoint_id uuid primary key,
  owner_kind text not null check (owner_kind in ('partner', 'agency-member', 'agency', 'host')),
  owner_id uuid not null,
  channel text not null check (channel in ('email', 'webhook')),
  address text not null,
  secret bytea,
  active boolean not null default true,
  disabled_at timestamptz,
  check (channel = 'email' or secret is not null)
);
create index contact_point_owner on contact_point (owner_kind, owner_id);

-- One row a referral: the lock of all that is said of it, and the sequence of its outgoing events.
create table referral_thread (
  referral_id uuid primary key,
  agency text not null,
  last_sequence bigint not null default 0,
  erased_at timestamptz
);

-- Offers of which nothing more may be said, however late an older event comes.
create table closed_offer (
  offer_id uuid primary key,
  referral_id uuid not null references referral_thread,
  closed_at timestamptz not null default now()
);
create index closed_offer_referral on closed_offer (referral_id);
create index closed_offer_age on closed_offer (closed_at);

-- One message to one endpoint. params holds the offer's reference and answer_by, nothing else.
create table delivery (
  delivery_id uuid primary key,
  event_id uuid not null,
  endpoint_id uuid not null references contact_point,
  referral_id uuid not null references referral_thread,
  offer_id uuid,
  template text not null,
  params jsonb not null,
  said_at timestamptz not null,
  trace text not null,
  correlation_id text not null,
  state text not null default 'waiting' check (state in
    ('waiting', 'sending', 'failed-temporarily', 'delivered', 'exhausted', 'stopped')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  not_after timestamptz,
  leased_until timestamptz,
  last_class text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  unique (event_id, endpoint_id)
);
create index delivery_pending on delivery (endpoint_id, next_attempt_at)
  where state in ('waiting', 'sending', 'failed-temporarily');
create index delivery_referral on delivery (referral_id);
create index delivery_state on delivery (state, changed_at);
create index delivery_endpoint on delivery (endpoint_id, changed_at);

-- Who asked for a delivery to be sent again, and why.
create table send_again (
  delivery_id uuid not null references delivery on delete cascade,
  asked_by uuid not null,
  reason text not null,
  asked_at timestamptz not null default now()
);
create index send_again_delivery on send_again (delivery_id);
"""

GRANTS = """
grant select on contact_point to notifications_worker;
grant update (disabled_at) on contact_point to notifications_worker;
grant select, insert, update, delete on referral_thread, closed_offer, delivery, send_again
  to notifications_worker;
-- The operator's page: ids, states and counts; no address, no secret, no reference.
grant select (endpoint_id, owner_kind, channel, active, disabled_at) on contact_point
  to notifications_web;
grant select (delivery_id, event_id, endpoint_id, referral_id, offer_id, template, state, attempts,
  next_attempt_at, not_after, leased_until, last_class, created_at, changed_at) on delivery
  to notifications_web;
grant update (state, attempts, next_attempt_at, leased_until, changed_at) on delivery
  to notifications_web;
grant insert, select on send_again to notifications_web;
"""


def upgrade() -> None:
    """Make the tables and give the roles what they need."""
    for part in (BASE_SQL, SQL, grants("notifications"), GRANTS):
        op.execute(part)
