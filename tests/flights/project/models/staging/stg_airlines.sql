select carrier, name as airline from {{ source('nyc', 'airlines') }}
