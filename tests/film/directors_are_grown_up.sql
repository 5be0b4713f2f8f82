-- A film that was released before its director turned 18 is a mistake in the catalogue.
select
    movie.title,
    movie.released,
    director.name,
    director.born_on
from {{ ref('stg_movies') }} as movie
join {{ ref('stg_directors') }} as director on director.director_id = movie.director_id
where movie.released - year(director.born_on) < 18
