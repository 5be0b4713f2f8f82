select tailnum, year as built, manufacturer, seats from nyc.planes
