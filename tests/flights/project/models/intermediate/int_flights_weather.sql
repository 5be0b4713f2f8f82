{{ config(materialized='ephemeral') }}

select
    f.origin,
    f.dep_delay,
    f.cancelled,
    w.precip > 0 as wet,
    w.visib < 3 as foggy
from {{ ref('stg_flights') }} as f
inner join {{ ref('stg_weather') }} as w
    on w.origin = f.origin and w.time_hour = f.departs_hour_utc
