"""The statements of routing's store that are longer than a line or two."""

from collections.abc import Iterable
from typing import Final

READ_REFERRALS: Final = """
select referral_id, reference, site, agency, submitted_by, facts, barred, state, queue,
  received_at, place_by, event_sequence, correlation_id, erased_at
from referral where referral_id = any(%s) order by referral_id
"""
LOCK_REFERRALS: Final = f"{READ_REFERRALS} for update"
EARLY: Final = "select referral_id, kind, release_id from early_fact where referral_id = any(%s)"
RELEASES: Final = """
select referral_id, release_id, partner_id, rank, expires_at, items, report_back, revoked_at,
  directory_version
from release where referral_id = any(%s) order by rank, release_id
"""
_OFFER_COLUMNS: Final = (
    "offer_id",
    "reference",
    "partner_id",
    "service_id",
    "release_id",
    "state",
    "offered_at",
    "answer_by",
    "told_at",
    "answered_at",
    "answered_by",
    "reason",
    "first_contact_by",
    "contacted_at",
    "contact_kind",
    "service_started_at",
    "ended_at",
    "outcome",
    "confirm_by",
    "stop_confirmed_at",
)
OFFERS: Final = f"""
select referral_id, {", ".join(_OFFER_COLUMNS)} from offer
where referral_id = any(%s) order by offered_at, offer_id
"""  # noqa: S608  (column names of this module)
OFFER_COLUMNS: Final = ", ".join(f"offer.{name}" for name in _OFFER_COLUMNS)
OPEN_ESCALATIONS: Final = """
select referral_id, reason, offer_id from escalation
where referral_id = any(%s) and cleared_at is null
"""
CLEAR_ESCALATIONS: Final = """
update escalation set cleared_at = now(), cleared_as = %s
where referral_id = %s and reason = any(%s) and offer_id is not distinct from %s
  and cleared_at is null
"""


def _put(table: str, rows: str, columns: str, more: str = "") -> str:
    return f"""
insert into {table} ({columns})
select {columns} from given, jsonb_populate_recordset(null::{table}, given.it -> '{rows}')
{more}"""  # noqa: S608  (names of this module)


_ROWS: Final = {
    "referrals": _put(
        "referral",
        "referrals",
        "referral_id, reference, site, agency, submitted_by, facts, barred, state, queue,"
        " received_at, place_by, event_sequence, correlation_id",
    ),
    "moves": """
update referral r set state = m.state, queue = m.queue, place_by = m.place_by,
  event_sequence = m.event_sequence
from given, jsonb_populate_recordset(null::referral, given.it -> 'moves') m
where r.referral_id = m.referral_id
""",
    "releases": _put(
        "release",
        "releases",
        "release_id, referral_id, partner_id, rank, expires_at, items, report_back, revoked_at,"
        " directory_version",
        "on conflict do nothing",
    ),
    "offers": _put(
        "offer",
        "offers",
        f"referral_id, release_expires_at, {', '.join(_OFFER_COLUMNS)}",
        "on conflict (offer_id) do update set "
        + ", ".join(f"{name} = excluded.{name}" for name in _OFFER_COLUMNS[5:]),
    ),
    "decisions": _put(
        "decision",
        "decisions",
        "decision_id, referral_id, decided_at, rule_set, directory_version, queue, chosen,"
        " situation, verdicts",
    ),
    "notes": _put(
        "referral_event",
        "notes",
        "referral_id, at, who, kind, organization_id, offer_reference, code",
    ),
}


def put_rows(names: Iterable[str]) -> str:
    """Return the statement that writes rows of these names, given as one JSON document.

    They do not see each other; what refers to another row is checked when all are written.
    """
    steps = (f"put_{name} as ({_ROWS[name]})" for name in names)
    return f"with given as (select %s::jsonb as it), {', '.join(steps)} select"


ERASE: Final = (
    "delete from slot_hold where offer_id in (select offer_id from offer where referral_id = %s)",
    "delete from escalation where referral_id = %s",
    "delete from offer where referral_id = %s",
    "delete from release where referral_id = %s",
    "delete from decision where referral_id = %s",
    "delete from referral_event where referral_id = %s",
    "delete from early_fact where referral_id = %s",
    """
    update referral set reference = null, facts = null, barred = '{}', submitted_by = null,
      correlation_id = null, state = 'erased', queue = 'erased', erased_at = now()
    where referral_id = %s
    """,
)

ACTIVE_VERSION: Final = "select max(version) as version from directory_version where site = %s"
SET_CAPACITY: Final = """
insert into service_slot as s (service_id, partner_id, capacity) values (%s, %s, %s)
on conflict (service_id) do update set partner_id = excluded.partner_id,
  capacity = excluded.capacity, carried = s.held, changed_at = clock_timestamp()
"""
# A join would show the other table as it was before the lock was waited for.
PLACES: Final = "select service_id, capacity, held, paused from service_slot"
LOCK_PLACES: Final = f"{PLACES} where service_id = any(%s) order by service_id for update"
LOCK_PLACES_OF: Final = f"""
{PLACES} where partner_id in (
  select unnest(%(partners)s::uuid[])
  union select partner_id from release where referral_id = any(%(referrals)s))
order by service_id for update
"""  # noqa: S608  (a statement of this module)
TAKE_PLACES: Final = """
with taken as (
  update service_slot set held = held + %s
  where service_id = %s and (capacity is null or held + %s <= capacity)
  returning service_id)
insert into slot_hold (offer_id, service_id)
select offer_id, service_id from taken, unnest(%s::uuid[]) as offer_id
"""
FREE_PLACE: Final = """
with freed as (
  update slot_hold set released_at = now() where offer_id = %s and released_at is null
  returning service_id)
update service_slot s set held = s.held - 1, changed_at = clock_timestamp()
from freed where s.service_id = freed.service_id
"""
PAUSE: Final = """
with begun as (
  insert into pause (service_id, reason, paused_by) values (%s, %s, %s)
  on conflict do nothing returning service_id, reason)
update service_slot s set paused = begun.reason
from begun where s.service_id = begun.service_id returning s.service_id
"""
RESUME: Final = """
with ended as (
  update pause set resumed_at = now(), resumed_by = %s
  where service_id = %s and resumed_at is null returning service_id)
update service_slot s set paused = '', changed_at = clock_timestamp()
from ended where s.service_id = ended.service_id returning s.service_id
"""

DUE: Final = """
select referral_id from referral
where erased_at is null and site = %(site)s
  and (%(only)s::uuid is null or referral_id = %(only)s)
  and (%(after)s::uuid is null or referral_id > %(after)s) and referral_id in (
  select referral_id from offer where state = 'offered' and answer_by < %(now)s
  union
  select referral_id from offer
  where state in ('offered', 'accepted') and release_expires_at <= %(now)s
  union
  select o.referral_id from offer o
  where o.state = 'accepted' and contacted_at is null and first_contact_by < %(now)s
    and not exists (select from escalation e
      where e.referral_id = o.referral_id and e.offer_id = o.offer_id
      and e.reason in ('first-contact-overdue', 'contact-not-reported'))
  union
  select o.referral_id from offer o
  where stop_confirmed_at is null and confirm_by < %(now)s
    and not exists (select from escalation e
      where e.referral_id = o.referral_id and e.offer_id = o.offer_id
      and e.reason = 'stop-not-confirmed')
  union
  select referral_id from referral r
  where state = 'waiting-for-place' and place_by < %(now)s
    and not exists (select from escalation e
      where e.referral_id = r.referral_id and e.reason = 'no-place' and e.cleared_at is null))
order by referral_id limit %(limit)s for update skip locked
"""
_CHANGED: Final = """
  (exists (
    select from release l join service_slot s using (partner_id)
    where l.referral_id = r.referral_id
      and s.changed_at > coalesce(r.tried_at, r.received_at) - interval '30 seconds')
  or exists (
    select from release l
    where l.referral_id = r.referral_id
      and l.expires_at > coalesce(r.tried_at, r.received_at) and l.expires_at <= %(now)s))
"""
# A lack of place: once a place has changed or a release has ended. An emergency each minute too,
# for a door that opens, as long as matching put it before a person and nobody has decided
# anything since.
WAITING: Final = f"""
select referral_id from referral
where erased_at is null and site = %(site)s
  and (%(only)s::uuid is null or referral_id = %(only)s)
  and (%(after)s::uuid is null or referral_id > %(after)s) and referral_id in (
  select referral_id from referral r
  where state = 'waiting-for-place' and {_CHANGED}
  union
  select referral_id from referral r
  where queue = 'needs-person' and state = 'needs-person' and erased_at is null
    and (coalesce(tried_at, received_at) < %(now)s - interval '1 minute' or {_CHANGED})
    and exists (
      select from decision d
      where d.referral_id = r.referral_id and d.queue = 'needs-person'
        and not exists (select from decision later
          where later.referral_id = r.referral_id and later.decided_at > d.decided_at)
        and not exists (select from offer o
          where o.referral_id = r.referral_id and o.offered_at > d.decided_at)))
order by referral_id limit %(limit)s for update skip locked
"""  # noqa: S608  (a condition of this module)

PUBLISH_PARTNER: Final = """
insert into published_partner as p (partner_id, event_sequence, record)
values (%(id)s, 1, %(record)s)
on conflict (partner_id) do update set event_sequence = p.event_sequence + 1,
  record = excluded.record, withdrawn = false
where p.record is distinct from excluded.record or p.withdrawn
returning event_sequence
"""
WITHDRAW_PARTNER: Final = """
update published_partner set event_sequence = event_sequence + 1, withdrawn = true
where partner_id = %s and not withdrawn returning event_sequence
"""
