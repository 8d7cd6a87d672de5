"""The peer: the same three steps as a careful team builds them with Celery and Redis.

POST /intakes (Flask, marshmallow, one row in PostgreSQL) -> task `route` (match the site's
partners, one update) -> task `notify` (a signed webhook on a kept connection, one update).

It does less than ours: no outbox (the task is sent after the commit, so a crash in between loses
it), no encryption, no audit, no tokens, no release that can be taken back, no clocks.
"""
