-- When an event that is held came last, and how often it has come.
alter table held add column if not exists last_at timestamptz not null default now();
alter table held add column if not exists attempts int not null default 1;

alter table pipeline_sample add column if not exists held bigint not null default 0;

comment on column repair.source is
  'the event''s; of what the bus refused, sent again key by key, the topic';
