insert into person (person_id, profile) values ('00000000-0000-4000-8000-000000000002', '\x06');
insert into referral
  (referral_id, person_id, reference, status, submitted_by, submitted_at, changed_at)
values (gen_random_uuid(), '00000000-0000-4000-8000-000000000002', 'R-1', 'requested',
  gen_random_uuid(), now(), now());
