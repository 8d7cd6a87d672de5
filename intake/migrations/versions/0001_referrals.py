"""People (sealed), referrals, releases, what routing tells of them, drafts, and the audit."""

from alembic import op

from shared.db.schema import BASE_SQL, grants

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = """
-- A person. What identifies is sealed under the person's own key; nothing else is kept here.
create table person (
  person_id uuid primary key,
  profile bytea,
  contact bytea,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  erased_at timestamptz,
  key_destroyed_at timestamptz,
  check (erased_at is null or (profile is null and contact is null))
);
create index person_key_waits on person (person_id)
  where erased_at is not null and key_destroyed_at is null;

-- What one sending of a form or of a client's request became.
create table submission (
  token uuid primary key,
  referral_id uuid not null,
  created_at timestamptz not null default now()
);

-- facts: the released codes, as they left. sequence: of the events told about it.
create table referral (
  referral_id uuid primary key,
  person_id uuid not null references person,
  reference text not null unique,
  status text not null,
  due timestamptz,
  facts jsonb,
  submitted_by uuid not null,
  submitted_at timestamptz not null,
  changed_at timestamptz not null,
  sequence bigint not null default 0
);
create index referral_person on referral (person_id);
create index referral_changed on referral (changed_at desc);

-- What happened and what would help, sealed: it never leaves intake.
create table story (
  referral_id uuid primary key references referral,
  encounter bytea not null,
  wishes bytea not null
);

create table release (
  release_id uuid primary key,
  referral_id uuid not null references referral,
  partner_id uuid not null,
  rank int not null check (rank > 0),
  items text[] not null,
  report_back text[] not null,
  purpose text not null,
  signed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_how text,
  revoked_by uuid,
  unique (referral_id, rank)
);
create index release_partner on release (referral_id, partner_id);

-- Drawn or on paper, sealed: `about` says which, and holds the words that were signed.
create table release_signature (
  release_id uuid primary key references release,
  picture bytea not null,
  about bytea not null,
  kept_at timestamptz not null default now()
);

-- Offers, as routing tells of them.
create table offer (
  offer_id uuid primary key,
  referral_id uuid not null references referral,
  partner_id uuid not null,
  state text not null,
  reference text not null,
  due timestamptz,
  changed_at timestamptz not null default now()
);
create index offer_referral on offer (referral_id);

-- Public records, as routing tells them; null once withdrawn. The highest sequence wins.
create table partner (
  partner_id uuid primary key,
  sequence bigint not null,
  record jsonb
);

-- The timeline of a referral: codes only.
create table referral_event (
  line bigint generated always as identity primary key,
  referral_id uuid not null references referral,
  at timestamptz not null,
  what text not null,
  partner_id uuid,
  offer_id uuid,
  offer_reference text not null,
  detail text not null,
  due timestamptz,
  by_member uuid
);
create index referral_event_referral on referral_event (referral_id, line);

-- Every read of identity, by own staff and by partners. It outlives what was read.
create table disclosure_log (
  line bigint generated always as identity primary key,
  at timestamptz not null default now(),
  kind text not null,
  reader text not null,
  organization_id uuid not null,
  referral_ids uuid[] not null,
  release_id uuid,
  offer_id uuid,
  items text[] not null
);
create index disclosure_log_referrals on disclosure_log using gin (referral_ids);

create table ticket_used (
  ticket_id text primary key,
  used_at timestamptz not null
);
create index ticket_used_age on ticket_used (used_at);

-- Unfinished forms, sealed under a key each.
create table draft (
  draft_id uuid primary key,
  member_id uuid not null,
  content bytea not null,
  resume_hash bytea unique,
  saved_at timestamptz not null,
  expires_at timestamptz not null
);
create index draft_member on draft (member_id, saved_at desc);
create index draft_expires on draft (expires_at);

-- Information sheets given instead of a referral: nothing of the person.
create table information_sheet (
  line bigint generated always as identity primary key,
  given_at timestamptz not null default now(),
  reason text not null,
  member_id uuid not null
);
"""

GRANTS = """
grant select, insert on person, referral, release, submission, story to intake_web;
grant update (profile, contact, changed_at, erased_at, key_destroyed_at) on person to intake_web;
grant update (status, due, facts, changed_at, sequence) on referral to intake_web;
grant update (revoked_at, revoked_how, revoked_by) on release to intake_web;
grant delete on story, release_signature to intake_web;
grant select (release_id), insert on release_signature to intake_web;
grant select on offer, partner to intake_web;
grant select, insert on referral_event to intake_web;
grant insert on disclosure_log, ticket_used, information_sheet to intake_web;
grant select, insert, update, delete on draft to intake_web;

grant select on referral, release, referral_event to intake_worker;
grant update (status, due, changed_at) on referral to intake_worker;
grant insert on referral_event to intake_worker;
grant select, insert, update on offer, partner to intake_worker;
grant select (person_id, erased_at, key_destroyed_at), update (key_destroyed_at) on person
  to intake_worker;
grant select (draft_id, expires_at), delete on draft to intake_worker;
grant select, delete on ticket_used to intake_worker;
"""


def upgrade() -> None:
    """Make the tables and give the roles what they need."""
    for part in (BASE_SQL, SQL, grants("intake"), GRANTS):
        op.execute(part)
