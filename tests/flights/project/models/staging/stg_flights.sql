select
    time_hour as departs_hour_utc,
    timezone('America/New_York', timezone('UTC', time_hour)) as departs_hour_local,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    dep_time,
    sched_dep_time,
    dep_delay,
    arr_delay,
    air_time,
    distance,
    dep_time is null as cancelled
from {{ source('nyc', 'flights') }}
