-- What step 0002 of the base tables adds to the least grants.
grant select on repair_batch, pipeline_sample to {service}_web;
grant insert on repair_batch to {service}_web;
grant update (done_at, outcome) on repair to {service}_web;
grant select, insert, update, delete on repair_batch, pipeline_sample to {service}_worker;
