select
    f.origin,
    f.dest,
    a.airport as dest_airport,
    count(*) as flights,
    count(distinct f.carrier) as carriers,
    min(f.air_time) as fastest,
    median(f.air_time) as typical
from {{ ref('stg_flights') }} as f
left join {{ ref('stg_airports') }} as a on a.faa = f.dest
group by all
