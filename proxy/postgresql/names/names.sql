-- What a PostgreSQL server says of the names that SQL text may have, as rows "kind name"; generate.py makes
-- ../sql_names_data.hpp of them.
--
--   function   may be called by a read: no function of this name in pg_catalog is volatile, or it is judged
--              harmless below, and no reason below speaks against it
--   attribute  may not be called, but can be: "x.nextval" calls nextval(x) (PostgreSQL's functional notation)
--   catalog    a table of pg_catalog: the same on a replica
--   keyword_*  by what else they may be, as in kwlist.h
with builtin as (
  select proname::text as name,
         bool_or(provolatile = 'v') as volatile,
         -- Not to be called by SQL, or of no use there: they take or give internal, cstring, a trigger, a handler.
         bool_and('internal'::regtype = any (proargtypes) or 'cstring'::regtype = any (proargtypes)
                  or prorettype in ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype,
                                    'event_trigger'::regtype, 'language_handler'::regtype, 'fdw_handler'::regtype,
                                    'index_am_handler'::regtype, 'table_am_handler'::regtype, 'tsm_handler'::regtype)
                 ) as of_the_server,
         bool_or(pronargs >= 1 and pronargs - pronargdefaults <= 1) as takes_one
    from pg_proc
   where pronamespace = 'pg_catalog'::regnamespace
   group by proname
),
-- Volatile, for they give another value each time; they leave nothing behind and a replica runs them.
harmless as (
  select unnest(array[
    'clock_timestamp', 'gen_random_uuid', 'pg_sleep', 'pg_sleep_for', 'pg_sleep_until', 'random', 'timeofday',
    -- of files, which a replica has too
    'pg_database_size', 'pg_indexes_size', 'pg_partition_ancestors', 'pg_partition_tree', 'pg_relation_size',
    'pg_table_size', 'pg_tablespace_size', 'pg_total_relation_size'
  ]) as name
),
-- Stable or immutable to PostgreSQL, but not to be run on another server than the client believes to be on.
bound as (
  select name from builtin
   where name in (
     -- a replica refuses them; the first two give the transaction an id
     'pg_current_xact_id', 'txid_current', 'pg_replication_origin_oid', 'pg_walfile_name', 'pg_walfile_name_offset',
     -- of this transaction, session or server; clients ask them to learn which server they are on, or to act on it
     'current_setting', 'inet_client_port', 'inet_server_addr', 'inet_server_port', 'pg_backend_pid',
     'pg_conf_load_time', 'pg_current_snapshot', 'pg_current_xact_id_if_assigned', 'pg_cursor',
     'pg_get_replication_slots', 'pg_is_other_temp_schema', 'pg_listening_channels', 'pg_my_temp_schema',
     'pg_postmaster_start_time', 'pg_prepared_statement', 'pg_show_all_settings', 'txid_current_if_assigned',
     'txid_current_snapshot')
      or name like 'pg\_stat\_%' or name like 'pg\_event\_trigger\_%' or name like 'binary\_upgrade\_%'
),
function as (
  select name from builtin
   where not of_the_server
     and (not volatile or name in (select name from harmless))
     and name not in (select name from bound)
)
select 'function', name from function
union all
-- All names with pg_ in front that are not on a list are refused wherever they stand.
select 'attribute', name from builtin
 where takes_one and not of_the_server and (volatile or name in (select name from bound))
   and name not in (select name from function) and name not like 'pg\_%'
union all
select 'catalog', relname from pg_class
 where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'
union all
select case catcode when 'R' then 'keyword_reserved' when 'C' then 'keyword_column_name'
                    when 'T' then 'keyword_type_or_function' else 'keyword_unreserved' end, word
  from pg_get_keywords()
 order by 1, 2;
