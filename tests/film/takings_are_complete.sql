-- Every euro that the box office took is in the mart, once.
select
    movie_id,
    sold.takings as sold,
    counted.takings as counted
from (select movie_id, sum(takings) as takings from {{ ref('stg_screenings') }} group by movie_id) as sold
full join (select movie_id, sum(takings) as takings from {{ ref('daily_takings') }} group by movie_id) as counted
    using (movie_id)
where sold.takings is distinct from counted.takings
