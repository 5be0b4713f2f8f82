select
    id as director_id,
    name,
    born_on,
    born_in
from {{ source('cinema', 'directors') }}
