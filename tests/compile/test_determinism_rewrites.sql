## a name that nobody wrote is kept

select sum(x) from t
=>
select sum(x order by x) as "sum(x)" from t

select now(), id from t
=>
select CAST($run_clock AS TIMESTAMPTZ) as "now()", id from t

select "sum(x)" from (select sum(x) from t)
=>
select "sum(x)" from (select sum(x order by x) as "sum(x)" from t)

select (select first(s) from t), 1 as one
=>
select (select first(s order by s) from t) as "(SELECT ""first""(s) FROM t)", 1 as one

## comments and lines stay where they are

select sum(x) -- é 😀
  as q
from t -- end
=>
select sum(x order by x) -- é 😀
  as q
from t -- end

select id from t -- all
limit 3
=>
select id from t order by all -- all
limit 3

select list(s /* it */) q from t
=>
select list(s order by s /* it */) q from t

select id, row_number() over (order by d -- day
) as r from t
=>
select id, row_number() over (order by d, t.id -- day
) as r from t

## what is copied is copied as it was rewritten

select sum(case when d < current_date then x end) as q from t
=>
select sum(case when d < CAST(CAST($run_clock AS TIMESTAMPTZ) AS DATE) then x end order by case when d < CAST(CAST($run_clock AS TIMESTAMPTZ) AS DATE) then x end) as q from t

select ago(interval 1 day) as q, age(ts) as r from t
=>
select (CAST($run_clock AS TIMESTAMPTZ) - CAST(interval 1 day AS INTERVAL)) as q, age(CAST(CAST(CAST($run_clock AS TIMESTAMPTZ) AS DATE) AS TIMESTAMP), ts) as r from t

## a key that the query uses, what an equation gives, or all that it uses

select id, s, lag(s) over (order by d) as r from t
=>
select id, s, lag(s) over (order by d, t.id) as r from t

select s, lag(s) over (order by d) as r from t
=>
select s, lag(s) over (order by d, t.s) as r from t

select t.id, name, ntile(2) over (order by w) as r from t join u using (g)
=>
select t.id, name, ntile(2) over (order by w, t.id) as r from t join u using (g)

select "x".id, row_number() over () as r from t as "x"
=>
select "x".id, row_number() over (order by x.id) as r from t as "x"

select o."A b", row_number() over () as r from (select s as "A b" from t) as o
=>
select o."A b", row_number() over (order by o."A b") as r from (select s as "A b" from t) as o

## a window that others share is written out for the one that needs it

select id, lead(s) over w as r, rank() over w as q from t window w as (partition by g order by d)
=>
select id, lead(s) over (partition by g order by d, t.id) as r, rank() over w as q from t window w as (partition by g order by d)

select id, sum(n) over w as r from t window w as (order by d rows 1 preceding)
=>
select id, sum(n) over (order by d, t.id rows 1 preceding) as r from t window w as (order by d rows 1 preceding)

## groups

select g, row_number() over (order by count(*)) as r from t group by 1
=>
select g, row_number() over (order by count(*), g) as r from t group by 1

select k + 1 as kk, row_number() over (order by max(d)) as r from t group by kk
=>
select k + 1 as kk, row_number() over (order by max(d), k + 1) as r from t group by kk

select d, row_number() over (order by max(k)) as r from t group by all
=>
select d, row_number() over (order by max(k), min(d)) as r from t group by all

## LIMIT and DISTINCT ON

select * from t order by d limit 3
=>
select * from t order by d, 1 limit 3

select s, k from t order by s limit 3
=>
select s, k from t order by s, 2 limit 3

from t limit 3
=>
from t order by all limit 3

select distinct on (g) g, s from t
=>
select distinct on (g) g, s from t order by all

select distinct on (g) g, s from t order by d desc
=>
select distinct on (g) g, s from t order by d desc, 1, 2

(select id from t limit 2) union all select g from u
=>
(select id from t order by all limit 2) union all select g from u

select id, unnest([g, k]) as v from t order by id limit 3
=>
select id, unnest([g, k]) as v from t order by id, 2 limit 3

select distinct on (id) id, unnest([g, k]) as v from t
=>
select distinct on (id) id, unnest([g, k]) as v from t order by all

## An ORDER BY that nobody relies on

select g, list(s) as q from (select distinct on (k) g, s from t order by k, id) group by g
=>
select g, list(s order by s) as q from (select distinct on (k) g, s from t order by k, id) group by g

with o as (select * from t order by d) select g, any_value(s) as q from o group by g
=>
with o as (select * from t order by d) select g, any_value(s order by s) as q from o group by g

## A window whose call has an order of its own

select id, first_value(s order by k) over (partition by g order by id) as v from t
=>
select id, first_value(s order by k, t.id) over (partition by g order by id) as v from t

select id, list(s order by k) over (partition by g order by id rows 2 preceding) as v from t
=>
select id, list(s order by k, t.id) over (partition by g order by id rows 2 preceding) as v from t

select id, list(s order by id) over (partition by g order by k rows 2 preceding) as v from t
=>
select id, list(s order by id) over (partition by g order by k, t.id rows 2 preceding) as v from t

## Intervals, of which equal ones are told apart by their text

select span, row_number() over (order by span) as r from spans
=>
select span, row_number() over (order by span, CAST(spans.span AS VARCHAR)) as r from spans

with c as (select age(ts) as a, k from t) select lag(a) over (order by k) as q from c
=>
with c as (select age(CAST(CAST(CAST($run_clock AS TIMESTAMPTZ) AS DATE) AS TIMESTAMP), ts) as a, k from t) select lag(a) over (order by k, CAST(c.a AS VARCHAR)) as q from c

## ASOF

select t.id, v.price from t asof join src.v on t.k = v.k and t.ts >= v.ts
=>
select t.id, v.price from t asof join (select * from src.v qualify row_number() over (partition by k, ts order by price) = 1) as v on t.k = v.k and t.ts >= v.ts
