select
    id as movie_id,
    title,
    director_id,
    released,
    minutes
from {{ source('cinema', 'movies') }}
