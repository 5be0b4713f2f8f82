"""What should have arrived, computed by MariaDB itself in SQL of its own."""

ANSWERS = {
    "carrier_delays": """
        SELECT f.carrier, a.name, COUNT(*), SUM(f.dep_time IS NULL),
               SUM(f.dep_delay) * 1e0 / COUNT(f.dep_delay), MAX(f.dep_delay)
        FROM flights f JOIN airlines a ON a.carrier = f.carrier GROUP BY f.carrier, a.name""",
    "route_stats": """
        WITH ranked AS (
            SELECT origin, dest, air_time,
                   ROW_NUMBER() OVER (PARTITION BY origin, dest ORDER BY air_time) AS place,
                   COUNT(*) OVER (PARTITION BY origin, dest) AS total
            FROM flights WHERE air_time IS NOT NULL),
        middle AS (
            SELECT origin, dest, SUM(air_time) / 2e0 * IF(COUNT(*) = 1, 2, 1) AS typical FROM ranked
            WHERE place IN (FLOOR((total + 1) / 2), FLOOR((total + 2) / 2)) GROUP BY origin, dest)
        SELECT f.origin, f.dest, MAX(a.name), COUNT(*), COUNT(DISTINCT f.carrier), MIN(f.air_time),
               MAX(m.typical)
        FROM flights f LEFT JOIN airports a ON a.faa = f.dest
        LEFT JOIN middle m ON m.origin = f.origin AND m.dest = f.dest GROUP BY f.origin, f.dest""",
    "daily_flights": """
        SELECT DATE(CONCAT(year, '-', month, '-', day)), origin, COUNT(*),
               SUM(IF(dep_delay > 0, dep_delay, NULL))
        FROM flights GROUP BY 1, 2""",
    "delay_ranks": """
        SELECT * FROM (
            SELECT origin, ROW_NUMBER() OVER (PARTITION BY origin
                       ORDER BY dep_delay DESC, time_hour, carrier, flight) AS place,
                   carrier, flight, time_hour, dep_delay
            FROM flights WHERE dep_delay IS NOT NULL) r WHERE place <= 100""",
    "plane_usage": """
        SELECT tailnum, manufacturer, year, seats, flights, miles,
               miles - LAG(miles) OVER (ORDER BY tailnum)
        FROM (SELECT p.tailnum, p.manufacturer, p.year, p.seats, COUNT(*) AS flights,
                     SUM(f.distance) AS miles
              FROM flights f JOIN planes p ON p.tailnum = f.tailnum
              GROUP BY p.tailnum, p.manufacturer, p.year, p.seats) t""",
    "weather_delays": """
        SELECT f.origin, w.precip > 0, w.visib < 3, COUNT(*), SUM(f.dep_time IS NULL), SUM(f.dep_delay)
        FROM flights f JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
        GROUP BY 1, 2, 3""",
    "departures": """
        SELECT time_hour, carrier, flight, tailnum, origin, dest, dep_delay
        FROM flights WHERE dep_time IS NOT NULL""",
}
