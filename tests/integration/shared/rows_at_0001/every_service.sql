insert into outbox (event_id, topic, key, sequence, type, headers, payload)
values (gen_random_uuid(), 't', 'k', 1, 'x.v1', '{"a": "b"}', '\x00ff');
insert into stream_position values ('c', 's', 'k', 7);
insert into held (consumer, source, key, sequence, type, topic, headers, payload)
values ('c', 's', 'k', 9, 'x.v1', 't', '{}', '\x01');
insert into parked (parked_id, consumer, topic, source, key, sequence, headers, payload, reason)
values ('00000000-0000-4000-8000-000000000001', 'c', 't', 's', 'k', 7, '{}', '\x02', 'InvalidEvent');
-- The order in which they were asked for is not the one in which they lie.
insert into repair (action, consumer, parked_id, reason, asked_by, asked_at, done_at, outcome)
values
  ('close-gap', 'third', null, 'r', gen_random_uuid(), '2026-01-03', null, null),
  ('replay', 'first', '00000000-0000-4000-8000-000000000001', 'r', gen_random_uuid(),
    '2026-01-01', '2026-01-01', 'done'),
  ('resend', 'second', null, 'r', gen_random_uuid(), '2026-01-02', null, null);
insert into consumer_lag (consumer, topic, records) values ('c', 't', 3);
insert into member (member_id, issuer, subject, role, organization_id, name)
values (gen_random_uuid(), 'i', 'rosa', 'advocate', gen_random_uuid(), 'Rosa Example');
insert into session (id_hash, data) values ('\x03', '\x04');
insert into idempotency (client, key, fingerprint) values ('c', 'k', '\x05');
