{{ config(materialized='incremental', unique_key=['day', 'movie_id']) }}

select
    day,
    movie_id,
    count(*) as screenings,
    {{ total('tickets', 'bigint') }} as tickets,
    {{ total('takings', 'decimal(10, 2)') }} as takings,
    max(updated_at) as updated_at
from {{ ref('stg_screenings') }}
{% if is_incremental() %}
-- Corrections come late: a day is counted again, whole, when one of its showings has changed.
where day in (
    select changed.day
    from {{ ref('stg_screenings') }} as changed
    where changed.updated_at >= (select coalesce(max(updated_at), '-infinity') from {{ this }})
)
{% endif %}
group by day, movie_id
