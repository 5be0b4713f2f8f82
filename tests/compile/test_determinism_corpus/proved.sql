-- exact sums
select g, sum(n) as a, avg(n) as b, sum(id) as c, avg(id) as e, sum(k > 1) as f from t group by g

-- exact sums of expressions
select g, sum(n * k) as a, sum(coalesce(k, 0)) as b from t group by g

-- exact sums through CTEs
with a as (select g, sum(n) as y from t group by g) select sum(y) as z from a

-- averages of times
select avg(d) as a from t

-- order-free aggregates
select g, max(x) as a, min(s) as b, count(distinct s) as c, median(x) as e, quantile_cont(x, 0.9) as
f, histogram(k) as h, bool_or(k = 1) as i, bit_xor(id) as j
from t group by g

-- an ordered list
select g, list(s order by s) as a, string_agg(s, ',' order by id) as b from t group by g

-- a value for each key
select id, any_value(s) as a, sum(x) as b from t group by id

-- a value that the key gives
select t.g, any_value(u.name) as a from t join u on u.g = t.g group by t.g

-- row_number by a key
select id, row_number() over (partition by g order by d, id) as a from t

-- row_number by all that is used
select d, s, row_number() over (order by d, s) as a from t

-- rank and its like
select id, rank() over (order by d) as a, dense_rank() over (order by d) as b, percent_rank() over
(order by d) as c, cume_dist() over (order by d) as e from t

-- a running sum of peers
select id, sum(n) over (partition by g order by d) as a from t

-- a float sum by a unique order
select id, sum(x) over (partition by g order by d, id) as a from t

-- limit by a key
select * from t order by id limit 100

-- limit by a whole row
select g, k from t order by all limit 100

-- limit of groups by their key
select g, count(*) as c from t group by g order by c, g limit 3

-- limit of one row
select count(*) as c from t limit 1

-- distinct on by a key
select distinct on (g) g, s, k from t order by g, id

-- asof without ties
select t.id, q.price
from t asof join (select g, d, max(price) as price from v group by g, d) as q on t.g = q.g and t.d
>= q.d

-- qualify by a key
select * from t qualify row_number() over (partition by g order by d desc, id) = 1

-- a join on a key keeps the key
select t.*, u.name, row_number() over (order by t.d, t.id) as a from t left join u on u.g = t.g

-- a recursive query
with recursive r as (select 1 as i union all select i + 1 from r where i < 9) select * from r

-- an array in order
select u.g, array(select s from t where t.g = u.g order by id) as a from u

-- limit where it makes no difference
select g from u where exists (select 1 from t where t.g = u.g limit 1)

-- an order of all that comes out, by the names of the input
select a.s, a.d from t as a join u on u.g = a.g order by a.s, a.d desc limit 9

-- an order that writes the outputs out again
select substring(s, 1, 3), count(*) from t group by substring(s, 1, 3) order by substring(s, 1, 3), count(*) limit 9

-- a column in parentheses
select distinct (s) from t order by s limit 9

-- a comparison under a collation
select id, s collate nocase = 'S7' as a from t where s collate nocase like 's%'

-- groups of a DOUBLE whose zeros are one
select x + 0.0 as x, count(*) as n from t group by all

-- an exact sum of some rows in a window
select id, sum(n) filter (where k = 1) over (partition by g) as a from t

-- an estimate of distinct values, which no order changes
select g, approx_count_distinct(s) as a, approx_count_distinct(x) filter (where k > 1) as b from t group by g

-- exact sums in a pivot
pivot (select g, k, n from t) on k in (1, 2) using sum(n) group by g
