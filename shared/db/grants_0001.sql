-- Least grants on the base tables; {service} is intake, routing or notifications.
grant usage on schema public to {service}_web, {service}_worker;
grant select on outbox, stream_position, held, parked, repair, consumer_lag, member to {service}_web;
grant insert on outbox, repair to {service}_web;
grant select, insert, update, delete on session, idempotency to {service}_web;
grant select, insert, update, delete
  on outbox, stream_position, held, parked, repair, consumer_lag to {service}_worker;
grant select on member to {service}_worker;
grant select, delete on session, idempotency to {service}_worker;
