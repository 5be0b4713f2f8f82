{{ config(materialized='incremental', unique_key=['day', 'origin'], incremental_strategy='merge') }}

select
    cast(departs_hour_local as date) as day,
    origin,
    count(*) as flights,
    sum(dep_delay) filter (where dep_delay > 0) as minutes_lost
from {{ ref('stg_flights') }}
{% if is_incremental() %}
where departs_hour_local >= (select max(day) from {{ this }})
{% endif %}
group by 1, 2
