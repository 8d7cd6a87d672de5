-- The bus in PostgreSQL. Writers of a topic take turns at its row, so that numbers become
-- visible in their order and a reader never passes one by.

create table if not exists topic (
  name text primary key,
  compacted boolean not null,
  retention interval not null,
  next_number bigint not null default 0
);

create table if not exists record (
  topic text not null references topic,
  number bigint not null,
  key text not null,
  headers jsonb not null,
  value bytea,
  at timestamptz not null default clock_timestamp(),
  primary key (topic, number)
);
create index if not exists record_age on record (topic, at);
create index if not exists record_key on record (topic, key, number);

create table if not exists reader (
  group_name text not null,
  topic text not null references topic,
  next_number bigint not null default 0,
  primary key (group_name, topic)
);

do $$
begin
  if exists (select from pg_roles where rolname = 'bus_client') then
    grant usage on schema public to bus_client;
    grant select, insert, update on topic, reader to bus_client;
    grant select, insert, delete on record to bus_client;
  end if;
end $$;
