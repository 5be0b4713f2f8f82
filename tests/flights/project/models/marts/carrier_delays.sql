with flights as (
    select * from {{ ref('stg_flights') }}
)

select
    flights.carrier,
    any_value(airlines.airline) as airline,
    count(*) as flights,
    count(*) filter (where cancelled) as cancelled,
    avg(flights.dep_delay) as mean_delay,
    max(flights.dep_delay) as worst_delay
from flights
inner join {{ ref('stg_airlines') }} as airlines on airlines.carrier = flights.carrier
group by flights.carrier
