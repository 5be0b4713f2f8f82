with takings as (
    select
        movie_id,
        sum(tickets) as tickets,
        sum(takings) as takings
    from {{ ref('daily_takings') }}
    group by movie_id
)

select
    director.director_id,
    director.name as director,
    count(*) as movies,
    min(movie.released) as first_movie,
    max(movie.released) as last_movie,
    {{ total('movie.minutes', 'integer') }} as minutes,
    {{ total('rating.reviews', 'bigint') }} as reviews,
    {{ total('rating.well_rated', 'bigint') }} as well_rated,
    {{ ratio('sum(rating.points)', 'sum(rating.reviews)') }} as rating,
    {{ total('takings.tickets', 'bigint') }} as tickets,
    {{ total('takings.takings', 'decimal(12, 2)') }} as takings,
    {{ ratio('sum(takings.takings)', 'sum(takings.tickets)') }} as takings_per_ticket
from {{ ref('stg_directors') }} as director
join {{ ref('stg_movies') }} as movie on movie.director_id = director.director_id
left join {{ ref('movie_ratings') }} as rating on rating.movie_id = movie.movie_id
left join takings on takings.movie_id = movie.movie_id
group by director.director_id, director.name
