select
    p.tailnum,
    p.manufacturer,
    p.built,
    p.seats,
    count(*) as flights,
    sum(f.distance) as miles,
    sum(f.distance) - lag(sum(f.distance)) over (order by p.tailnum) as miles_more_than_previous
from {{ ref('stg_flights') }} as f
inner join {{ ref('stg_planes') }} as p on p.tailnum = f.tailnum
group by p.tailnum, p.manufacturer, p.built, p.seats
