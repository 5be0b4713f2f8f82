-- the hundred worst departures of each airport
select
    origin,
    row_number() over (partition by origin order by dep_delay desc, departs_hour_utc, carrier, flight) as place,
    carrier,
    flight,
    departs_hour_utc,
    dep_delay
from {{ ref('stg_flights') }}
where dep_delay is not null
qualify place <= 100
