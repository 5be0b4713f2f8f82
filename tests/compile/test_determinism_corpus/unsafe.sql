-- random
select id, random() as a from t

-- uuid
select id, uuid() as a from t

-- nextval of a sequence
select id, nextval('ticket') as a from t

-- sample
select id from t using sample 10%

-- a sample with a seed
select id from t using sample reservoir(100 rows) repeatable (42)

-- a sample of blocks
select id from t tablesample system(30%) repeatable (42)

-- rowid
select id, rowid as a from t

-- positional join
select t.id, q.id as other from t positional join (select id from t where k = 1) as q

-- approx_quantile
select approx_quantile(x, 0.5) as a from t

-- reservoir_quantile
select reservoir_quantile(x, 0.5) as a from t

-- approx_top_k
select approx_top_k(s, 3) as a from t

-- json_group_array
select g, json_group_array(s) as a from t group by g

-- weighted_avg
select g, weighted_avg(x, w) as a from (select t.g, x, w from t join u using (g)) group by g

-- geomean
select geomean(x + 1) as a from t

-- a running float sum of peers
select id, sum(x) over (partition by g order by d) as a from t

-- row_number over a rollup
select g, row_number() over (order by g % 2) as a from t group by rollup (g)

-- a list that relies on a subquery
select list(s) as a from (select s from t order by d)

-- limit that relies on a subquery
select * from (select * from t order by d) limit 5

-- a method call
select g, t.x.sum() as a from t group by g

-- two numberings of equal rows
select g, row_number() over (partition by g) as a, row_number() over (partition by k, g) as b from t

-- a collated group
select s collate nocase as c, count(*) as n from (select case when id % 2 = 0 then s else upper(s) end as s from t) group by 1

-- collated distinct rows
select distinct (case when id % 2 = 0 then s else upper(s) end) collate nocase as c from t

-- entropy drops its order
select g, entropy(s) as q from t group by g
