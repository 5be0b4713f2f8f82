"""What PostgREST knows of the database: loaded at start, again after NOTIFY pgrst and a delay."""

from __future__ import annotations

import os
import select
import threading
import time
from dataclasses import dataclass

import psycopg2

_TABLES = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum),
       array_agg(pg_get_expr(d.adbin, d.adrelid) ORDER BY a.attnum),
       coalesce((SELECT array_agg(k.attname::text ORDER BY array_position(i.indkey::int2[], k.attnum))
                 FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
                 WHERE i.indisprimary AND i.indrelid IN (c.oid, base.oid)), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN LATERAL (SELECT p.refobjid AS oid FROM pg_rewrite r JOIN pg_depend p ON p.objid = r.oid
                   WHERE r.ev_class = c.oid AND c.relkind = 'v' AND p.refobjid <> c.oid
                     AND p.refclassid = 'pg_class'::regclass LIMIT 1) AS base ON true
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (%s)
GROUP BY 1, 2, c.oid, base.oid"""
_FUNCTIONS = """
SELECT n.nspname, p.proname, coalesce(p.proargnames[1:p.pronargs], '{}'),
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u(t, o)
             ORDER BY o),
       p.pronargs - p.pronargdefaults, p.proretset, p.prorettype = 'void'::regtype,
       p.provolatile <> 'v', coalesce(p.proconfig, '{}')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY (%s)"""


@dataclass(frozen=True)
class CachedTable:
    defaults: dict[str, str | None]
    key: tuple[str, ...]


@dataclass(frozen=True)
class CachedFunction:
    arguments: dict[str, str]
    required: int
    returns_set: bool
    returns_nothing: bool
    read_only: bool
    settings: tuple[str, ...]

    def takes(self, names: set[str]) -> bool:
        return set(list(self.arguments)[: self.required]) <= names <= set(self.arguments)


class SchemaCache:
    """Tables and functions as of the last load; a thread of its own listens."""

    def __init__(self, dsn: str, schemas: tuple[str, ...], delay: float) -> None:
        self._schemas, self.delay = list(schemas), delay
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True
        self._connection.cursor().execute("LISTEN pgrst")
        self.tables: dict[tuple[str, str], CachedTable] = {}
        self.functions: dict[tuple[str, str], list[CachedFunction]] = {}
        self._load()
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop, b"x")
        self._thread.join()
        self._connection.close()
        os.close(self._wake)
        os.close(self._stop)

    def _listen(self) -> None:
        while self._wake not in select.select([self._connection, self._wake], [], [])[0]:
            self._connection.poll()
            # One that comes while we load is read with the rows: nothing would wake us for it.
            while self._connection.notifies:
                time.sleep(max(self.delay, 0.1))
                self._connection.poll()
                self._connection.notifies.clear()
                self._load()
                self._connection.poll()

    def _load(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(_TABLES, (self._schemas,))
            tables = {
                (schema, name): CachedTable(dict(zip(columns, defaults, strict=True)), tuple(key))
                for schema, name, columns, defaults, key in cursor.fetchall()
            }
            cursor.execute(_FUNCTIONS, (self._schemas,))
            functions: dict[tuple[str, str], list[CachedFunction]] = {}
            for schema, name, names, types, required, *rest in cursor.fetchall():
                names = names or [""] * (len(types) == 1)  # of several arguments each must have a name
                if len(names) == len(types):
                    made = CachedFunction(dict(zip(names, types, strict=True)), required, *rest)
                    functions.setdefault((schema, name), []).append(made)
        self.tables, self.functions = tables, functions
