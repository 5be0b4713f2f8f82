select
    origin,
    wet,
    foggy,
    count(*) as flights,
    count(*) filter (where cancelled) as cancelled,
    sum(dep_delay) as minutes_lost
from {{ ref('int_flights_weather') }}
group by all
