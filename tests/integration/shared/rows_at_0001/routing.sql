insert into directory_version (site, body) values ('s', '{}');
insert into service_slot (service_id, partner_id, capacity, held)
values ('00000000-0000-4000-8000-000000000003', gen_random_uuid(), 5, 1);
insert into referral (referral_id, site, agency, state, queue, received_at)
values ('00000000-0000-4000-8000-000000000004', 's', 'a', 'offered', 'urgent', now());
insert into release
  (release_id, referral_id, partner_id, rank, expires_at, items, report_back)
values
  ('00000000-0000-4000-8000-000000000005', '00000000-0000-4000-8000-000000000004',
    gen_random_uuid(), 1, '2026-03-01', '{}', '{}'),
  ('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-000000000004',
    gen_random_uuid(), 2, '2026-04-01', '{}', '{}');
insert into offer (offer_id, reference, referral_id, partner_id, service_id, release_id, state,
  offered_at, answer_by)
values
  (gen_random_uuid(), 'O-1', '00000000-0000-4000-8000-000000000004', gen_random_uuid(),
    '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000005', 'declined',
    now(), now()),
  (gen_random_uuid(), 'O-2', '00000000-0000-4000-8000-000000000004', gen_random_uuid(),
    '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000006', 'offered',
    now(), now());
