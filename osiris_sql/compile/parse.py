"""Is it one SELECT, and which tables does it name: from the syntax, with places."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.duckdb_tree import functions_in, tables_in
from osiris_sql.compile.places import Problem
from osiris_sql.compile.table_name import TableName
from osiris_sql.compile.tokens import tokenize
from osiris_sql.support.nearest import did_you_mean

_DUCKDB = Dialect.get_or_raise("duckdb")

_QUERY_WORDS = frozenset({"select", "with", "from", "values", "table", "pivot", "unpivot", "("})
_FILE_FUNCTIONS = frozenset({"glob", "parquet_scan", "sqlite_scan", "postgres_scan", "mysql_scan"})
_FILE_FUNCTIONS |= {"postgres_query", "mysql_query", "iceberg_scan", "delta_scan", "st_read", "sniff_csv"}
_HIDING_FUNCTIONS = frozenset({"query", "query_table", "histogram", "histogram_values"})
_HIDING_FUNCTIONS |= {"json_execute_serialized_sql", "from_substrait", "from_substrait_json"}


@dataclass(frozen=True, slots=True)
class Query:
    """A text that passed the gate: `sql` without closing semicolons; `tree` is None where sqlglot gave up."""

    sql: str
    tree: exp.Expr | None
    tables: tuple[TableName, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def parse_query(sql: str, binder: Binder) -> Query:
    """Return what the syntax of a text says; DuckDB is asked wherever sqlglot alone is not enough."""
    # The text that everything below reads, so that its tokens are those of later passes too.
    sql = sql.rstrip()
    found = tokenize(sql)
    if found is None:
        return Query(sql, None, problems=tuple(binder.check_statement(sql)))
    tokens = [*found]
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        sql = sql[: tokens.pop().start].rstrip()
    problem = _one_select(tokens)
    if problem:
        return Query(sql, None, problems=(problem,))
    tree = _parse_tree(sql, tokens)
    nodes = [] if tree is None else [*tree.walk()]
    pivots = tree is None or any(isinstance(node, exp.Pivot) for node in nodes)
    problems = list(binder.check_statement(sql)) if pivots else []
    if problems:
        return Query(sql, None, problems=tuple(problems))
    tables, problems = _read_document(sql, binder) if tree is None else _read_tree(sql, nodes)
    tables.sort(key=lambda table: table.start)
    problems.sort(key=lambda problem: problem.start or 0)
    return Query(sql, tree, tuple(tables), tuple(problems))


def _one_select(tokens: Sequence[Token]) -> Problem | None:
    if not tokens:
        return Problem("empty-model", "there is no SQL in this file", fix="write one SELECT")
    first = tokens[0]
    if first.text.lower() not in _QUERY_WORDS:
        return Problem(
            "not-a-select",
            f'this is not a SELECT: it begins with "{first.text}"',
            first.start,
            first.end - first.start + 1,
            why="a model is one query; the tool creates its table or view",
            fix=did_you_mean(first.text, ["select", "with", "from", "values"]),
        )
    for before, after in pairwise(tokens):
        if before.token_type == TokenType.SEMICOLON != after.token_type:
            why = "a model is one query"
            return Problem("two-statements", "a second statement begins here", after.start, 1, why)
    return None


def _parse_tree(sql: str, tokens: list[Token]) -> exp.Expr | None:
    try:
        trees = _DUCKDB.parser().parse(tokens, sql)
    except (SqlglotError, RecursionError):
        return None
    tree = trees[0] if len(trees) == 1 else None
    return tree if isinstance(tree, exp.Query | exp.Pivot | exp.Values) else None


def _read_tree(sql: str, nodes: Iterable[exp.Expr]) -> tuple[list[TableName], list[Problem]]:
    tables: list[TableName] = []
    problems: list[Problem] = []
    for node in nodes:
        if not isinstance(node, exp.Table):
            continue
        start, end = _span(node)
        written = sql[start:end]
        if not isinstance(node.this, exp.Identifier):
            problems += _refuse_function(written.lower(), start, end)
        elif written.startswith("'"):
            problems.append(_file_problem(written, start, end))
        elif node.db or not _names_cte(node):
            schema = f"{node.catalog}.{node.db}" if node.catalog else node.db
            tables.append(TableName(schema or None, node.name, start, end, node.alias))
    return tables, problems


def _read_document(sql: str, binder: Binder) -> tuple[list[TableName], list[Problem]]:
    document = binder.syntax_tree(sql)
    if document is None:
        message = "neither sqlglot nor DuckDB can say which tables this query names"
        return [], [Problem("unreadable-query", message, fix="write it in another way")]
    tables: list[TableName] = []
    problems: list[Problem] = []
    for table in tables_in(document, sql):
        written = sql[table.start : table.end]
        if written.startswith("'"):
            problems.append(_file_problem(written, table.start, table.end))
        else:
            tables.append(table)
    for name, start in functions_in(document, sql):
        problems += _refuse_function(name, start, start + len(name))
    return tables, problems


def _span(node: exp.Table) -> tuple[int, int]:
    parts = [part.meta for part in (node.args.get("catalog"), node.args.get("db"), node.this) if part]
    return min(meta.get("start", 0) for meta in parts), max(meta.get("end", -1) for meta in parts) + 1


def _names_cte(table: exp.Table) -> bool:
    """Say whether a bare table name means a CTE that is visible where it stands."""
    name = table.name.lower()
    child: exp.Expr | None = table
    inside: exp.Expr | None = None
    while child is not None:
        if isinstance(child, exp.CTE):
            inside = child
        ctes = child.args.get("with_")
        if isinstance(ctes, exp.With) and name in _visible(ctes, inside):
            return True
        child = child.parent
    return False


def _visible(ctes: exp.With, inside: exp.Expr | None) -> Iterator[str]:
    """Yield the CTEs that a table inside of one of them sees, or one in the query that they belong to."""
    for cte in ctes.expressions:
        # Only a recursive CTE sees itself, and none sees those that come after it.
        if cte is not inside or ctes.args.get("recursive"):
            yield cte.alias.lower()
        if cte is inside:
            return


def _refuse_function(name: str, start: int, end: int) -> Iterator[Problem]:
    if name.startswith("read_") or name in _FILE_FUNCTIONS:
        yield _file_problem(f"{name}()", start, end)
    elif name in _HIDING_FUNCTIONS:
        yield Problem(
            "hidden-relation",
            f"{name}() hides which tables it reads",
            start,
            end - start,
            why="the order of a build comes from the tables that the SQL names",
            fix="name the tables, or build the SQL with Jinja",
        )


def _file_problem(what: str, start: int, end: int) -> Problem:
    return Problem(
        "file-in-model",
        f"a model may not read files itself, as {what} does",
        start,
        end - start,
        why="its columns and rows must be known, and recorded, before it runs",
        fix="describe the files as a source of type files in sources.yml, and name its table",
    )
