{{ config(materialized='incremental') }}

select
    departs_hour_utc as departed_at,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    dep_delay
from stg_flights
where not cancelled
{% if is_incremental() %}
    and departs_hour_utc > (select max(departed_at) from {{ this }})
{% endif %}
