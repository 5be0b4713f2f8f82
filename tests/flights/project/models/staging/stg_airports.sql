select faa, name as airport, lat, lon, tzone from nyc.airports
