-- The directory. A version never changes: a stored decision can be made again from it.
create table directory_version (
  version bigint generated always as identity primary key,
  site text not null,
  imported_at timestamptz not null default now(),
  body jsonb not null
);
create function refuse_change() returns trigger language plpgsql as
$$ begin raise exception 'a directory version never changes'; end $$;
create trigger directory_version_stays before update or delete on directory_version
  for each row execute function refuse_change();

-- What the other services were told of each partner last.
create table published_partner (
  partner_id uuid primary key,
  event_sequence bigint not null default 0,
  record jsonb,
  withdrawn boolean not null default false
);

-- The places of a service. An import sets capacity, never held; `carried` is what was held when
-- an import went below it: held may stay there, and only fall.
create table service_slot (
  service_id uuid primary key,
  partner_id uuid not null,
  capacity int check (capacity >= 0),
  held int not null default 0,
  carried int not null default 0,
  changed_at timestamptz not null default clock_timestamp(),
  constraint held_not_negative check (held >= 0),
  constraint held_within_capacity check (capacity is null or held <= greatest(capacity, carried))
);
create index service_slot_partner on service_slot (partner_id);

create table pause (
  pause_id uuid primary key default gen_random_uuid(),
  service_id uuid not null references service_slot,
  reason text not null,
  paused_by uuid not null,
  paused_at timestamptz not null default now(),
  resumed_by uuid,
  resumed_at timestamptz
);
create unique index pause_open on pause (service_id) where resumed_at is null;

-- A referral as routing knows it: codes and opaque ids. Erased, only the row's number line stays.
create table referral (
  referral_id uuid primary key,
  reference text,
  site text not null,
  agency text not null,
  submitted_by uuid,
  facts jsonb,
  barred uuid[] not null default '{}',
  state text not null,
  queue text not null,
  received_at timestamptz not null,
  tried_at timestamptz,
  event_sequence bigint not null default 0,
  erased_at timestamptz
);
create index referral_queue on referral (queue, received_at) where erased_at is null;
create index referral_waiting on referral (referral_id) where state = 'waiting-for-place';

create table release (
  release_id uuid primary key,
  referral_id uuid not null references referral,
  partner_id uuid not null,
  rank int not null,
  expires_at timestamptz not null,
  items text[] not null,
  report_back text[] not null,
  revoked_at timestamptz
);
create index release_referral on release (referral_id);

-- A revocation or withdrawal that came before what it is about.
create table early_fact (
  referral_id uuid not null,
  kind text not null check (kind in ('release-revoked', 'withdrawn')),
  release_id uuid,
  came_at timestamptz not null default now(),
  unique nulls not distinct (referral_id, kind, release_id)
);

create table offer (
  offer_id uuid primary key,
  reference text not null unique,
  referral_id uuid not null references referral,
  partner_id uuid not null,
  service_id uuid not null references service_slot,
  release_id uuid not null references release,
  state text not null
    check (state in ('offered', 'accepted', 'declined', 'expired', 'cancelled', 'closed')),
  offered_at timestamptz not null,
  answer_by timestamptz not null,
  told_at timestamptz,
  answered_at timestamptz,
  answered_by uuid,
  reason text,
  first_contact_by timestamptz,
  contacted_at timestamptz,
  contact_kind text,
  service_started_at timestamptz,
  ended_at timestamptz,
  outcome text,
  confirm_by timestamptz,
  stop_confirmed_at timestamptz,
  constraint never_the_same_partner_twice unique (referral_id, partner_id)
);
create unique index one_partner_at_a_time on offer (referral_id)
  where state in ('offered', 'accepted');
create index offer_inbox on offer (partner_id, offered_at);
create index offer_answer_clock on offer (answer_by) where state = 'offered';
create index offer_contact_clock on offer (first_contact_by)
  where state = 'accepted' and contacted_at is null;
create index offer_stop_clock on offer (confirm_by)
  where confirm_by is not null and stop_confirmed_at is null;
create index offer_release on offer (release_id) where state in ('offered', 'accepted');

create table slot_hold (
  offer_id uuid primary key references offer,
  service_id uuid not null references service_slot,
  held_at timestamptz not null default now(),
  released_at timestamptz
);

create table decision (
  decision_id uuid primary key,
  referral_id uuid not null references referral,
  decided_at timestamptz not null,
  rule_set text not null,
  directory_version bigint not null references directory_version,
  queue text not null,
  chosen uuid,
  situation jsonb not null,
  verdicts jsonb not null
);
create index decision_referral on decision (referral_id, decided_at);

-- What a person has to look at; each reason once for an offer.
create table escalation (
  escalation_id bigint generated always as identity primary key,
  referral_id uuid not null references referral,
  offer_id uuid references offer,
  reason text not null,
  raised_at timestamptz not null default now(),
  cleared_at timestamptz,
  cleared_as text,
  unique nulls not distinct (referral_id, offer_id, reason)
);

create table referral_event (
  event_id bigint generated always as identity primary key,
  referral_id uuid not null references referral,
  at timestamptz not null,
  who text not null,
  kind text not null,
  organization_id uuid,
  offer_reference text not null default '',
  code text not null default ''
);
create index referral_event_referral on referral_event (referral_id, event_id);

grant select on all tables in schema public to routing_web, routing_worker;
grant insert on directory_version, referral_event, decision, offer, slot_hold, escalation, pause
  to routing_web, routing_worker;
grant update on referral, offer, slot_hold, service_slot, escalation, pause
  to routing_web, routing_worker;
revoke insert on directory_version from routing_web;
grant insert, update on published_partner, service_slot to routing_worker;
grant insert on referral, release, early_fact to routing_worker;
grant update on release to routing_worker;
grant delete on release, early_fact, offer, slot_hold, decision, escalation, referral_event
  to routing_worker;
