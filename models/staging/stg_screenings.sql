select
    id as screening_id,
    movie_id,
    cast(starts_at as date) as day,
    starts_at,
    tickets,
    takings,
    updated_at
from {{ source('cinema', 'screenings') }}
