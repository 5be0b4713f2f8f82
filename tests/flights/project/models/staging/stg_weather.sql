select origin, time_hour, precip, visib, wind_gust from nyc.weather
