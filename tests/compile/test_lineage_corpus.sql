select id, a+b as q, q*2 r from t where x>1
with c as (select * exclude(l) from t), d(k1,k2) as (select id, count(*) from u group by 1) select c.*, k2 from c join d on k1=c.id
select * from t join u using (id)
select u.id, t.* from t full join u using (id)
select id, t.a from t full join u using (id)
select id, k from t join src.v using (id, d)
select id, t.b, c from t natural join u
select t.a, v.z from t natural left join src.v
from src.v
select count(*) from src.v
select st.f, t.st.g, st['f'], list_transform(l, lambda e: e+a) from t
select [e+a for e in l if e>b] q from t
select sum(x) over w, row_number() over (partition by a order by d) from t window w as (partition by s)
select id from t union all by name select c, id from u
select id from t union select c from u order by id limit 3
select id from t except select c from u
select unnest(l) u, id from t
select unnest(st), id from t
select (select max(c) from u where u.id=t.a) m, exists(select 1 from src.v where v.k = t.s) e from t
select a in (select id from u where y > t.x) q from t
select id from t where a = any(select c from u)
with recursive r as (select id, a from t union all select t.id, r.a from r join t on t.a=r.id) select * from r
with recursive r(n, m) as (select 1, 2 union all select n+1, (select max(c) from u) from r where n < 5) select * from r
pivot t on a in (1,2) using sum(x) group by s
pivot (select a, x, s from t) on a in (1,2) using sum(x)
select * from t pivot (sum(x) for a in (1,2) group by s)
unpivot (select id, a from t) on a into name n value vv
select * from (select id, a, id+1 as a2 from t) unpivot (v for n in (a, a2))
select columns('^[ab]$') from t
select columns(*) from u
select min(columns(*)) from u
select columns(lambda c: c like 'a%') from t
select * like 'a%' from t
select coalesce(columns(['a','id'])) from t
select t from t
select t.id, u from t, u
select distinct on (a) b from t order by d
select date_trunc('month', d), date_part('year', d), extract(day from d) from t
select * from t, unnest(t.l) as q(w)
select q.w, id from t, unnest(t.l) as q(w)
select q.w, id from t left join unnest(t.l) as q(w) on true
select z.q from t, lateral (select t.a+1 as q) z
select z.q from t, (select t.a+1 as q) z
select * replace (a+1 as a) rename (b as bb) from t
select * exclude (id) from u
select t.id from t semi join u on t.id=u.id
select t.id from t anti join u using (id)
select sum(c) from (select c from u) group by all
select id, v.k from t asof join src.v v using (id, d)
select t.id, v.z from t asof join src.v v on t.id=v.id and t.d>=v.d
select t.id, c from t positional join u
select main.t.id, main.t.st.f from main.t
select src.v.id from src.v
select a as b, b as a from t
select a+1 as z, z+1 as y2 from t where z > 3 group by all having y2 > 3 order by z
select s as id from t order by id
select count(*) filter (where a>1), string_agg(s, ',' order by d), arg_max(s, x) from t
select grouping(a), a, count(*) from t group by rollup(a, s)
select a, count(*) from t group by grouping sets ((a),(s),())
select id from t where (a, s) in (select c, b from u)
select case when a>1 then x else b end from t
select a::varchar || s, s[1:2], l[1], st.f::varchar from t
select json_object('a', a, 'b', s) j, struct_pack(q := a) sp, {'z': x} as z2, map {'k': b} from t
select row(a, s), (a, s) from t
select id from t qualify row_number() over (partition by a order by d) = 1
select lag(x) over (order by d, id) lx, id from t
select first_value(x order by d) over (partition by a) from t
with q as materialized (select * from u) select q.c from q join q as q2 on q.id=q2.id
with a as (select id as i1 from t), b as (select i1+1 as i2 from a), c2 as (select i2 from b) select * from c2
select * from (select id, a from t) s(p, q)
select p from (select id, a from t) s(p, q)
select * from (values (1,'x'),(2,'y')) v(n, m) join t on t.id = v.n
select v.n from (values (1,'x')) v(n, m) join t on t.id = v.n
select i, id from t, range(3) r(i)
select i, id from t, generate_series(1, t.a) g(i)
select id, generate_subscripts(l, 1) from t
select t1.id, t2.a from t t1 join t t2 on t1.id = t2.a
select id from t group by id having sum(x) > 3
select id from t order by x limit 3
select id from t limit (select max(c) from u)
select id, (select u.c from u where u.id = t.id and u.y > (select avg(z) from src.v where v.id = t.a)) from t
select "ID", "A" from t
select T.Id from T
select t.UNUSED from t
select id from t where exists (from u where u.id = t.id)
select id from t where not exists (select * from u where u.c = t.a)
(select id from t) union all (select id from u limit 3)
select x from (from t select x where a > 1)
from t select a, s where x > 1
select id: a, q: b from t
select interval (a) day + d from t
select s like '%' || b::varchar escape '$' from t
select a between 1 and b, a not in (1,2), s is distinct from b::varchar, s ilike 'a%' from t
select list(s order by d), list(distinct a), histogram(a) from t
select max(s) filter (where a > 1) over (partition by b order by d rows between 1 preceding and current row) from t
select unnest([1,2]) x, a from t
select unnest(list_zip(l, l)) from t
select st.* from t
select (st).f from t
select try_cast(s as int), cast(a as bigint) from t
select strftime(d, '%Y'), d + 1, d - d from t
select quantile_cont(x, [0.5, 0.9]), mode(a), entropy(a) from t
select median(x) from t where a = 1 group by s having count(*) > 1
select a % 2 = 0 as even, count(*) from t group by even
select a, sum(sum(x)) over (order by a) from t group by a
select t.id, w.m from t left join (select id, max(y) m from u group by id) w on w.id = t.id
select coalesce(t.id, u.id) from t full join u on t.id = u.id
select id from t where l @> [1] or list_contains(l, a)
select len(l), array_length(l), l[-1] from t
select * exclude (l, st) from t where a is not null order by all limit 10
select * from u cross join (select max(a) m from t)
select id, c from (select id from t) join (select id, c from u) using (id)
select id, c from t join (u join src.v using (id)) using (id)
select t.id, v.k, c from t join (u join src.v using (id)) on t.id = u.id
select * from t join u on t.id = u.id
select t.*, u.y from t left join u on t.id = u.id
select rowid, id from t
select hash(u) from u
select md5(s), regexp_replace(s, 'a', 'b', 'g'), regexp_extract(s, '(a)(b)', ['q','r']) from t
select list_reduce(l, lambda x, y: x + y) from t
select list_sort(list_filter(l, lambda x: x > a)) from t
select s.id from t as s
select max(id) over () from t
select date_part(s, d) from t
select date_diff('day', d, current_date), datediff(s, d, d) from t
select strptime(s, '%Y'), epoch(d), make_date(a, a, a) from t
select * from (summarize u)
select id, nullif(a, 0), ifnull(a, 0), greatest(a, id), if(a>1, s, s) from t
select first(a order by x desc nulls last), last(s) from t
with x as (select 1 as id) select * from x, t
with t as (select id as zz from u) select * from t
with t as (select id as zz from main.t) select * from t
select id from t union all (with t as (select c as id from u) select id from t)
select array_agg(struct_pack(i := id, n := s)) from t
select t.a as "weird name", "weird name" + 1 from t
select sum(a) as a from t having sum(a) > 1
select a as x, x as y from t
select count(distinct (a, s)) from t
select count(t) from t
select count(t.*) from t
select * from t where columns(*) is not null
select * from query_table('u')
select * from (select * from t) where x > 1
select a from t where s similar to 'a.*' or s glob 'b*'
select a, ntile(3) over (order by x), cume_dist() over (partition by s order by x) from t
select id from t order by (select max(c) from u where u.id = t.id)
select st.f as f, f + 1 from t
select mx.m from (select max(a) as m from t) as mx
select k, d from src.v where d > timestamp '2020-01-01'
select s.upper().left(a) as m from t
select (s || b).upper() as m, l[a].abs() as n from t
select t.l.list_filter(lambda e: e > a).len() as n from t
select id from t where s.upper() = 'A' order by x.abs()
select r from t as q(p, r, z)
select b from t as q(p)
select #1 as q, #3 + #2 as r from t
select min(columns(['a', 'id'])) from t
