"""A readable query walked and judged, whether or not DuckDB has bound it yet."""

from __future__ import annotations

from osiris_sql.compile.determinism import Bind, InputFacts, Judgement, Output, judge_query
from osiris_sql.compile.known import Readable, walk_inputs
from osiris_sql.compile.lineage import Walked
from osiris_sql.types.manifest import ModelConfig


def walk_and_judge(
    config: ModelConfig, readable: Readable, output: Output, bind: Bind
) -> tuple[Walked | None, Judgement]:
    """Return a query with its walk and its verdict; raises what `output` does.

    DuckDB binds the author's text only where that is asked for, since the text that will run is bound anyway.
    """
    try:
        walked = walk_inputs(readable.query, readable.tables)
        return walked, _judge(config, readable, output, bind, walked)
    except Exception:
        # No sense can be made of what DuckDB refuses: then that is the mistake, and not ours.
        output()
        raise


def _judge(
    config: ModelConfig, readable: Readable, output: Output, bind: Bind, walked: Walked | None
) -> Judgement:
    inputs = {
        key: InputFacts(node=known.node, schema=known.schema, keys=known.keys)
        for key, known in readable.tables.items()
    }

    def judge(reason: str | None) -> Judgement:
        return judge_query(
            readable.query.sql,
            readable.query.tree,
            inputs,
            output,
            declared=reason is not None,
            reason=reason or "",
            clock_grain=config.clock,
            float_sums=config.float_sums,
            bind=bind,
            walked=walked,
        )

    if config.determinism == "declared":
        return judge(config.reason)
    judged = judge(None)
    spans = [finding.span for finding in judged.reasons if finding.verdict == "unsafe"]
    files = {readable.locate(span[0], 1).path if span else "" for span in spans}
    if files and files <= readable.declared.keys():
        # All that is unsafe was spliced in, and declared where it was written.
        return judge("; ".join(readable.declared[path] for path in sorted(files)))
    return judged
