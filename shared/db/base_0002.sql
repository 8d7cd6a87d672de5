-- Repairs in batches and tried out, since when a reader is behind, the pipeline's samples.
-- "if (not) exists": for a time a part of this was made under the number 0001.

-- Repairs that were asked for together: how many a second, and when the next one may be.
create table if not exists repair_batch (
  batch_id uuid primary key default gen_random_uuid(),
  per_second int not null check (per_second between 1 and 50),
  next_at timestamptz not null default now()
);

-- A dry run changes nothing. Repairs are done by number: those that wait keep their order.
alter table repair add column if not exists number bigint;
alter table repair add column if not exists batch_id uuid references repair_batch;
alter table repair add column if not exists dry_run boolean not null default false;
alter table repair alter column number drop identity if exists;
update repair set number = ordered.number
from (select repair_id, row_number() over (order by number, asked_at, repair_id) as number
      from repair) ordered
where ordered.repair_id = repair.repair_id;
alter table repair alter column number set not null,
  alter column number add generated always as identity;
select setval(pg_get_serial_sequence('repair', 'number'), coalesce(max(number), 0) + 1, false)
from repair;

drop index repair_waiting;
create index repair_waiting on repair (number) where done_at is null;
create index if not exists repair_of_batch on repair (batch_id);
create index if not exists repair_asked on repair (asked_at);
create index if not exists repair_of_parked on repair (parked_id) where done_at is null;

alter table consumer_lag add column if not exists behind_since timestamptz;

-- The pipeline's numbers of each minute, for the operator's charts; kept 25 hours.
create table if not exists pipeline_sample (
  minute timestamptz primary key,
  events_out bigint not null,
  events_in bigint not null,
  leaving bigint not null,
  reading bigint not null,
  parked bigint not null
);
