select tailnum, departs_hour_utc, air_time from {{ ref('stg_flights') }} where air_time <= 0
