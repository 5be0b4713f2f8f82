select
    movie_id,
    count(*) as reviews,
    count(*) filter (where rating >= {{ var('well_rated') }}) as well_rated,
    sum(rating) as points
from {{ ref('stg_reviews') }}
group by movie_id
