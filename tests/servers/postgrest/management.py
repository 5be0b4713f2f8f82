"""The Management API's SQL endpoint over the real PostgreSQL: one request is one transaction."""

from __future__ import annotations

import json

import psycopg2
from servers.postgrest.answer import Answer

TOKEN = "sbp_81f0c2a4d7e6"
PATH = "/v1/projects/local/database/query"
_JSON = {"Content-Type": "application/json"}


def run_query(dsn: str, authorization: str, body: bytes) -> Answer:
    """Return the rows of the last statement that has some, as objects; `[]` for DDL."""
    if authorization != f"Bearer {TOKEN}":
        return Answer(status=401, headers=_JSON, body=b'{"message":"Unauthorized"}')
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(json.loads(body)["query"])
            rows = cursor.fetchall() if cursor.description else []
            names = [column.name for column in cursor.description or ()]
    except psycopg2.Error as error:
        said = f"Failed to run sql query: ERROR:  {error.pgcode}: {error.diag.message_primary}"
        return Answer(status=400, headers=_JSON, body=json.dumps({"message": said}).encode())
    finally:
        connection.close()
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return Answer(status=201, headers=_JSON, body=json.dumps(found, default=str).encode())
