select
    id as review_id,
    movie_id,
    lower(trim(member)) as member,
    rating,
    nullif(trim(comment), '') as comment,
    reviewed_on
from {{ source('cinema', 'reviews') }}
