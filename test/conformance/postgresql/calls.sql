-- A call of every function of pg_catalog whose name is in the variable "names", with arguments of its types.
select format('select pg_catalog.%I(%s)%s;', proname,
              coalesce((select string_agg(
                          case when typtype = 'p' then 'null'
                               when typcategory in ('A', 'P', 'Z') then format('null::%s', format_type(t.oid, null))
                               when typname = 'regclass' then '''pg_class''::regclass'
                               when typname in ('text', 'name', 'bpchar', 'varchar', 'bytea', 'char')
                                 or typcategory = 'N' and typname !~ '^reg' or typname in ('oid', 'xid', 'xid8', 'cid')
                                 then format('''1''::%s', format_type(t.oid, null))
                               when typname = 'xml' then '''<a/>''::xml'
                               when typname = 'pg_lsn' then '''0/1''::pg_lsn'
                               when typname = 'bool' then 'true'
                               when typname in ('timestamp', 'timestamptz', 'date')
                                 then format('''now''::%s', format_type(t.oid, null))
                               when typname = 'interval' then '''1 ms''::interval'
                               else format('null::%s', format_type(t.oid, null)) end, ', ' order by n)
                          from unnest(proargtypes) with ordinality as argument(type, n)
                          join pg_type t on t.oid = argument.type), ''),
              case prokind when 'w' then ' over ()' else '' end)
  from pg_proc
 where pronamespace = 'pg_catalog'::regnamespace and proname = any (:'names'::text[])
   and not ('internal'::regtype = any (proargtypes) or 'cstring'::regtype = any (proargtypes))
 order by 1;
