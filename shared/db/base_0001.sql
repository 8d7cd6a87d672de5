-- What every service's database holds besides its own tables.

-- Events to send. Written in the transaction of the change that they tell of.
create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null unique,
  topic text not null,
  key text not null,
  sequence bigint not null check (sequence > 0),
  type text not null,
  headers jsonb not null,
  payload bytea not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  failed_at timestamptz,
  failure text
);
create index outbox_waiting on outbox (id) where sent_at is null and failed_at is null;
create index outbox_failed on outbox (topic, key) where failed_at is not null;
create index outbox_sent on outbox (sent_at) where sent_at is not null;

-- The next sequence that a consumer expects of a source and key.
create table stream_position (
  consumer text not null,
  source text not null,
  key text not null,
  next_sequence bigint not null default 1,
  primary key (consumer, source, key)
);

-- Events that came before their turn.
create table held (
  consumer text not null,
  source text not null,
  key text not null,
  sequence bigint not null,
  type text not null,
  topic text not null,
  headers jsonb not null,
  payload bytea not null,
  held_at timestamptz not null default now(),
  primary key (consumer, source, key, sequence)
);

-- Records that cannot be applied now. One with a sequence holds back its key; nobody else.
create table parked (
  parked_id uuid primary key default gen_random_uuid(),
  consumer text not null,
  topic text not null,
  source text,
  key text not null,
  sequence bigint,
  type text,
  headers jsonb not null,
  payload bytea,
  reason text not null,
  attempts int not null default 1,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  closed_at timestamptz,
  closed_as text check (closed_as in ('replayed', 'discarded', 'erased'))
);
create unique index parked_open on parked (consumer, source, key, sequence) where closed_at is null;
create index parked_waiting on parked (last_at) where closed_at is null;


-- What operators asked for, and its audit: replay or discard a parked record, close a gap, send
-- again what the bus refused for good (key is then the topic).
create table repair (
  repair_id uuid primary key default gen_random_uuid(),
  action text not null check (action in ('replay', 'discard', 'close-gap', 'resend')),
  consumer text not null,
  parked_id uuid references parked,
  source text,
  key text,
  reason text not null,
  asked_by uuid not null,
  asked_at timestamptz not null default now(),
  done_at timestamptz,
  outcome text
);
create index repair_waiting on repair (asked_at) where done_at is null;

-- How far a consumer is behind, written by the worker for the operator's page.
create table consumer_lag (
  consumer text not null,
  topic text not null,
  records bigint not null,
  measured_at timestamptz not null default now(),
  primary key (consumer, topic)
);

-- What a signed-in person may do here. Administering the identity provider grants nothing.
create table member (
  member_id uuid primary key,
  issuer text not null,
  subject text not null,
  role text not null,
  organization_id uuid not null,
  name text not null,
  active boolean not null default true,
  unique (issuer, subject, role)
);

create table session (
  id_hash bytea primary key,
  data bytea not null,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()
);
create index session_idle on session (last_seen_at);

-- Answers already given to a client's Idempotency-Key.
create table idempotency (
  client text not null,
  key text not null,
  fingerprint bytea not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (client, key)
);
create index idempotency_age on idempotency (created_at);
