from t join u using (g) select t.id, u.name
from t as a left join u as b on b.g = a.g select a.id, b.name where a.k > 1
from t, u select t.id where t.g = u.g
from (from t select id, g) as q join u using (g)
from t select id limit 3
select * from t positional join u
select id, s from t tablesample 10%
select id from t using sample 5 rows
from t select g, sum(n) group by all having sum(n) > 3
select g: t.g, total: sum(n) from t group by all
select columns(lambda c: c like 's%') from t
select * exclude (x) replace (k + 1 as k) from t
select * like 's%' from t
select * similar to 's.*' from t
select t.* rename (id as ident) from t
select coalesce(*columns(['g', 'k'])) from t
select struct_pack(*columns('g|k')) from t
select min(columns(*)), max(columns(*)) from t
select {'a': id, 'b': s} as st from t
select st.a from (select {'a': id, 'b': s} as st from t)
select unnest({'a': id, 'b': {'c': s}}, recursive := true) from t
select unnest([1, 2, 3]) as e, id from t
select [x for x in [1, 2, 3] if x > 1] as l from t
select list_transform([1, 2], lambda x: x + id) from t
select list_reduce([1, 2, 3], lambda a, b: a + b) from t
select list_filter([1,2,3], lambda x, i: i > id) from t
select map {'a': id}['a'] from t
select map_from_entries([('a', id)]) from t
select union_value(num := id) from t
select id::varchar || s from t
select try_cast(s as integer) from t
select cast(d as timestamp) at time zone 'UTC' from t
select d + interval 1 month, d - interval '2 days', interval (id) days from t
select date_trunc('month', d), date_part('year', d), extract(dow from d) from t
select strftime(d, '%Y-%m') from t
select '2024-01-01'::date - d from t
select time_bucket(interval '7 days', d) from t
select s[1], s[1:2], s[-1] from t
select s like 'a%', s ilike 'A%', s glob 'a*', s ~ 'a.*', s similar to 'a' from t
select s like 'a$%' escape '$' from t
select regexp_extract(s, '(\w)(\d)', ['a', 'b']) from t
select id // 2, id % 2, id ** 2, id ^ 2, id & 1, id | 1, id << 1, ~id, @id from t
select id is distinct from g, id between 1 and 2, id in (1, 2), id not in (select g from u) from t
select case g when 1 then 'a' else 'b' end, if(g > 1, 'a', 'b'), ifnull(s, ''), nullif(g, 1) from t
select exists (from u where u.g = t.g), (select max(w) from u) from t
select id = any (select g from u), id > all (select g from u) from t
select id = any ([1, 2]) from t
select count(*) filter (where g > 1), count(distinct s), sum(distinct n) from t
select string_agg(s, ',' order by id), list(s order by id desc nulls last) from t
select arg_max(s, id), arg_max(s, id, 3), max(id, 2) from t
select quantile_cont(n, [0.25, 0.5]), median(n), mode(g) from t
select percentile_cont(0.5) within group (order by n) from t
select histogram(g), bit_xor(g), bool_and(g > 1) from t
select g, k, grouping(g, k), count(*) from t group by rollup (g, k)
select g, k, count(*) from t group by cube (g, k)
select g, k, count(*) from t group by grouping sets ((g, k), (g), ())
select row_number() over (order by id), lag(s, 1, '') over (partition by g order by id) from t
select sum(n) over (order by d range between interval 3 days preceding and current row) from t
select sum(n) over (order by id groups between 1 preceding and 1 following) from t
select sum(n) over (order by id rows between 1 preceding and 1 following exclude current row) from t
select first_value(s ignore nulls) over w from t window w as (partition by g order by id)
select last(s ignore nulls) over (order by id) from t
select id from t qualify row_number() over (partition by g order by id) = 1
select distinct on (g) g, s from t order by g, id
select id from t order by all
select id, s from t order by s collate nocase, id
select id from t limit 10%
select id from t order by id limit 5 offset 2
select id from t order by id fetch first 3 rows only
select id from t union select g from u
select id from t union all by name select g as id, name from u
select id from t intersect all select g from u
select id from t except all select g from u
(select id from t) union all (select g from u) order by 1
with a as materialized (select * from t), b as not materialized (select id from a) select * from b
with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r
with recursive r(n) using key (n) as (select 1 union select n + 1 from r where n < 5) select * from r
pivot t on g in (1, 2) using sum(n) group by k
pivot t on g in (1, 2) using sum(n) as s, count(*) as c
select * from t pivot (sum(n) for g in (1, 2) group by k)
unpivot (select id, k, g from t) on k, g into name nm value vl
select * from (select id, k, g from t) unpivot (vl for nm in (k, g))
unpivot (select id, k, g from t) on columns(* exclude id) into name nm value vl
select * from t asof join v on t.g = v.g and t.d >= v.d
select * exclude (d, g), t.d from t asof left join v using (g, d)
select t.id from t semi join u using (g)
select t.id from t anti join u using (g)
select * from t natural join u
select t.id, l.m from t, lateral (select max(w) as m from u where u.g = t.g) as l
select t.id, l.m from t cross join lateral (select t.id + 1 as m) as l
select * from range(3) as r(i)
select * from generate_series(1, 10, 2) as r(i), t
select i, id from t, unnest([1, 2]) as r(i)
select * from (values (1, 'a'), (2, 'b')) as v2(n, s2)
values (1, 'a'), (2, 'b')
table t
select t from t
select u.name from t join u on t.g = u.g and u.w > 1.5
select a.id from t a join t b on a.id < b.id and a.k = b.g
select json_extract('{"a": 1}', '$.a'), '{"a": 1}'::json ->> 'a' from t
select to_json(t) from t
select $$dollar$$, e'a\nb', 'it''s', x'61'::blob from t
select 1_000, 1e3, .5, 0xff, 1::utinyint from t
select "id" as "Weird Name", id as 'other' from t
select id as a, a + 1 as b, b * 2 as c from t
select g as gg, count(*) from t where gg > 1 group by gg
select md5(s), sha256(s), hash(id) from t
select concat_ws(',', s, id), format('{} {}', s, id), printf('%d', id), s.upper().lower() from t
select greatest(id, g), least(id, g), array_value(1, 2), [1, 2][1] from t
select row(id, s), (id, s) from t
select current_date, now(), today(), current_timestamp, localtimestamp, get_current_timestamp() from t
select epoch(d), make_date(2024, 1, 2), age(d), age(d, d), last_day(d), datediff('day', d, d) from t
select trim(both 'a' from s), position('a' in s), substring(s from 1 for 2) from t
select s collate nocase = 'A', s collate de from t
select sum(x), avg(x), fsum(x), stddev(x), corr(x, id), product(x) from t
select id from t where rowid > 3
select any_value(s), first(s), last(s order by id), arbitrary(s) from t
from (summarize t)
from (describe t)
select * from duckdb_settings()
select id from t where (g, k) in (select g, g from u)
select list(s)[1:3] from t
select [id, g] <-> [1, 2] from t
select array_distance([id, g]::float[2], [1.0, 2.0]::float[2]) from t
select id, count() over () from t
select count() from t
select id from t group by 1 order by 1
select id, sum(n) over w1, avg(n) over w2 from t window w1 as (partition by g), w2 as (w1 order by id)
select variable from (select getvariable('x') as variable)
select cast(id as struct(a integer)) from t where false
select enum_range(null::enum('a', 'b')) from t
select unnest(generate_series(1, id)) from t where id < 3
select t.id, q.* from t, (select g as gg from u where u.g = t.g) as q
select try(1 / id) from t
select date '2024-01-01' + id, timestamp '2024-01-01 00:00:00', timestamptz '2024-01-01 00:00:00+02' from t
select id from t where s not like '%a' and not g is null or k isnull
select list_aggregate([1, 2], 'sum'), list_sort([2, 1], 'desc'), list_unique([1]), flatten([[1]]) from t
from t select id, s where id > 1 order by id
from t
from u select avg(w) over (partition by name)
select * from t, u where t.g = u.g and u.w > (select avg(w) from u)
select struct_extract({'a': id}, 'a'), {'a': id}['a'], ({'a': id}).a from t
select id, (select list(name order by name) from u where u.g = t.g) as names from t
from (values (1), (2)) as w(m) join t on t.id = w.m select m, s
select id from t where s.upper() = 'S1' order by x.abs(), id
