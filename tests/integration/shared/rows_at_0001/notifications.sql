insert into referral_thread (referral_id, agency, last_sequence)
values (gen_random_uuid(), 'a', 4);
insert into contact_point (endpoint_id, owner_kind, owner_id, channel, address)
values (gen_random_uuid(), 'partner', gen_random_uuid(), 'email', 'a@example.org');
