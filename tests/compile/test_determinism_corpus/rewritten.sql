-- float sum by group
select g, sum(x) as a from t group by g

-- float sum of all
select sum(x) as a, avg(x) as b from t

-- float sum of an expression
select g, sum(x * 1.1e0 + k) as a from t group by g

-- float sum, filtered
select g, sum(x) filter (where k > 1) as a from t group by g

-- float sum, distinct
select sum(distinct x) as a from t

-- moments
select stddev(x) as a, var_pop(x) as b, corr(x, k) as c, skewness(x) as e from t

-- regressions
select regr_slope(x, k) as a, regr_r2(x, k) as b, covar_samp(x, k) as c from t

-- moments of integers
select stddev(id) as a, kurtosis(id) as b from t

-- kahan sums are no cure
select g, fsum(x) as a, favg(x) as b from t group by g

-- division makes floats
select g, sum(n / 3) as a from t group by g

-- list
select g, list(s) as a from t group by g

-- list of structs
select g, list({'a': s, 'b': k}) as a from t group by g

-- list with a tied order
select g, list(s order by d) as a from t group by g

-- list of distinct values
select g, list(distinct s) as a from t group by g

-- string_agg
select g, string_agg(s, ',') as a from t group by g

-- string_agg of distinct values
select g, string_agg(distinct s, ',') as a from t group by g

-- first and last
select g, first(s) as a, last(s) as b from t group by g

-- any_value
select g, any_value(s) as a from t group by g

-- arg_max and arg_min
select g, arg_max(s, k) as a, min_by(s, d) as b from t group by g

-- arg_max of three
select g, arg_max(s, k, 3) as a from t group by g

-- mode
select g, mode(s) as a from t group by g

-- row_number with ties
select id, row_number() over (partition by g order by d) as a from t

-- row_number without an order
select id, row_number() over () as a from t

-- row_number after a join
select t.id, u.name, row_number() over (order by u.w) as a from t join u using (g)

-- row_number of groups
select id // 2 as h, row_number() over (order by count(*)) as a from t group by id // 2

-- row_number of all groups
select id // 2 as h, g, row_number() over (order by count(*)) as a from t group by all

-- row_number over no key
select d, s, row_number() over (order by d) as a from t

-- lag and lead
select id, lag(s) over (order by d) as a, lead(s, 2) over (order by d) as b from t

-- ntile
select id, ntile(7) over (order by k) as a from t

-- a shared named window
select id, row_number() over w as a, rank() over w as b from t window w as (order by d)

-- an extended named window
select id, row_number() over (w order by d) as a from t window w as (partition by g)

-- qualify
select * from t qualify row_number() over (partition by g order by d desc) = 1

-- first_value
select id, first_value(s) over (partition by g order by d) as a from t

-- last_value of peers
select id, last_value(s) over (partition by g order by d) as a from t

-- last_value of rows
select id, last_value(s) over (partition by g order by d rows between unbounded preceding and
unbounded following)
as a from t

-- nth_value
select id, nth_value(s, 3) over (partition by g order by d) as a from t

-- ignored nulls
select id, last_value(nullif(s, 's1') ignore nulls) over (partition by g) as a from t

-- a float sum over a partition
select id, sum(x) over (partition by g) as a from t

-- a running sum by rows
select id, sum(n) over (partition by g order by d rows unbounded preceding) as a from t

-- a moving float average
select id, avg(x) over (partition by g order by d rows 3 preceding) as a from t

-- a list over a partition
select id, list(s) over (partition by g) as a from t where id < 2000

-- limit
select * from t limit 100

-- limit in a tied order
select * from t order by d limit 100

-- limit of groups
select id // 2 as h, count(*) as c from t group by h order by c limit 3

-- limit of distinct rows
select distinct g, k from t limit 5

-- limit of a union
select g from t union all select k from t limit 999

-- offset
select id from t offset 19990

-- limit of a correlated subquery
select u.g, (select s from t where t.g = u.g order by d limit 1) as a from u

-- limit in a lateral join
select u.g, q.s from u, lateral (select s from t where t.g = u.g limit 2) as q

-- distinct on
select distinct on (g) g, s, k from t

-- distinct on in a tied order
select distinct on (g) g, s, k from t order by d

-- distinct on an alias that has the name of a key
select distinct on (id) g as id, s, k from t order by id

-- distinct on with a limit
select distinct on (g) g, s, k from t order by d limit 5

-- asof ties
select t.id, v.price from t asof join v on t.g = v.g and t.d >= v.d

-- asof ties with using
select t.id, price from t asof left join v using (g, d)

-- a chain of CTEs
with a as (select g, k, sum(x) as y
from t group by g, k), b as (select *, row_number() over (partition by k order by round(y, -4)) as r
from a) select * from b where r < 4

-- first in a static pivot
pivot t on k in (1, 2) using first(s) group by g

-- two numberings of rows with a key
select id, row_number() over (order by g) as a, row_number() over (order by d) as b from t

-- two functions over one window
select s, row_number() over (order by d) as a, lag(s) over (order by d) as b from t

-- an array of a subquery
select u.g, array(select s from t where t.g = u.g) as a from u

-- an array in a tied order
select u.g, array(select {'s': s, 'k': k} from t where t.g = u.g order by d limit 3) as a from u

-- fetch first
select id from t order by d fetch first 30 rows only

-- a float sum in a correlated subquery
select u.g, (select sum(x) from t where t.g = u.g) as a from u

-- a list in a subquery that is compared
select g from u where (select list(s) from t where t.g = u.g)[1] > 's5'

-- the greatest of moving rows
select id, max(s) over (partition by g order by d rows 2 preceding) as a from t

-- a quantile of moving rows
select id, quantile_disc(x, 0.5) over (order by d rows between 3 preceding and 3 following) as a from t
