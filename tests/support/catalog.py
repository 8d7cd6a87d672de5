"""What a database holds, without its rows, as text: to compare two of them."""

import psycopg


def schema_of(dsn: str) -> set[str]:
    """Return the columns, indexes, constraints, triggers and grants; columns in any order."""
    with psycopg.connect(dsn) as connection:
        return {str(row[0]) for row in connection.execute(_SCHEMA)}


_SCHEMA = """
with relation as (
  select * from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'S', 'v')
), described as (
  select relname, attribute.*
  from relation join pg_attribute attribute on attrelid = relation.oid
  where attnum > 0 and not attisdropped and relkind <> 'S'
)
select concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod),
  attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
from described left join pg_attrdef on adrelid = attrelid and adnum = attnum
union all
select 'index ' || indexdef from pg_indexes where schemaname = 'public'
union all
select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
from pg_constraint where connamespace = 'public'::regnamespace
union all
select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all
select concat_ws(' ', 'sequence', sequencename, data_type, start_value, increment_by)
from pg_sequences where schemaname = 'public'
union all
select concat_ws(' ', 'grant', relname, grantee::regrole, privilege_type, is_grantable)
from relation, aclexplode(coalesce(
  relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)))
union all
select concat_ws(' ', 'grant', relname, attname, grantee::regrole, privilege_type)
from described, aclexplode(attacl)
"""
