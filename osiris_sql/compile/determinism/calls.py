"""What stands in the parentheses of a call and of its window, as tokens."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.determinism.outline import Call, Outline, Tokens
from osiris_sql.compile.determinism.splice import Edit, Span
from osiris_sql.compile.determinism.subject import Subject, unwrapped_parent

Parts = list[str | Span]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, what follows its ORDER BY, and the token after which both end."""

    values: list[Tokens]
    order: Tokens | None
    end: int


def read_arguments(outline: Outline, call: Call) -> Arguments:
    """Return the arguments of a call."""
    begin = call.open + 1
    if outline.word(begin) in ("distinct", "all"):
        begin += 1
    top = outline.top_level((begin, call.close))
    end = next(
        (i for i in top if outline.word(i) in ("ignore", "respect") and outline.word(i + 1) == "nulls"), None
    )
    end = call.close if end is None else end
    order = next((i for i in top if outline.tokens[i].token_type == TokenType.ORDER_BY), None)
    values = outline.split((begin, end if order is None else order)) if begin < end else []
    return Arguments(values, None if order is None else (order + 1, end), end)


def argument_order(outline: Outline, arguments: Arguments, parts: Parts) -> Edit:
    """Return the edit that makes the ORDER BY of a call end in `parts`."""
    place = outline.tokens[arguments.end - 1].end + 1
    start: list[str | Span] = [", "] if arguments.order is not None else [" order by "]
    return Edit(place, place, (*start, *parts))


def listed(outline: Outline, items: list[Tokens]) -> Parts:
    """Return copies of pieces of the text with commas between them."""
    parts: Parts = []
    for item in items:
        parts += [", "] * bool(parts)
        parts.append(Span(*outline.span(item)))
    return parts


def own_order(node: exp.Expr) -> list[exp.Expr]:
    """Return what a call orders its rows by, within its parentheses."""
    orders = [order for order in node.iter_expressions() if isinstance(order, exp.Order)]
    return [item.this for order in orders for item in order.expressions]


@dataclass(frozen=True, slots=True)
class WindowText:
    """A window as written: the tokens in its parentheses, and those of its clauses; `name` is the
    token of a window that it only names, or that it begins with."""

    name: int | None
    inside: Tokens | None
    order: Tokens | None
    frame: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """The window of a call: what it partitions and orders by, its frame, and its text.

    `base` is the text of the named window that it uses.
    """

    partition: list[exp.Expr]
    items: list[exp.Expr]
    spec: exp.Expr | None
    text: WindowText
    base: WindowText | None

    @property
    def order(self) -> list[exp.Expr]:
        """Return what it orders by, without directions."""
        return [item.this for item in self.items]

    @property
    def order_text(self) -> Tokens | None:
        """Return the tokens after ORDER BY, wherever it is written."""
        return self.text.order or (self.base.order if self.base is not None else None)


def has_window(outline: Outline, call: Call) -> bool:
    """Say whether a call is followed by OVER."""
    return outline.word(_after(outline, call)) == "over"


def read_window(subject: Subject, call: Call, node: exp.Expr) -> Window | None:
    """Return the window of a call, or None where text and tree don't tell the same story."""
    outline = subject.outline
    over = unwrapped_parent(node)
    index = _after(outline, call) + 1
    if not isinstance(over, exp.Window) or call.block is None:
        return None
    named = over.args.get("alias")
    if named is not None and outline.tokens[index].token_type != TokenType.L_PAREN:
        text = WindowText(index, None, None, None)
    else:
        text = _read_inside(outline, (index + 1, outline.match.get(index, index)), over)
    base_node, base = _base(subject, call, over)
    if named is not None and base is None:
        return None
    nodes = [n for n in (over, base_node) if n is not None]
    partition = [p for n in nodes for p in n.args.get("partition_by") or []]
    orders = [n.args["order"] for n in nodes if n.args.get("order") is not None]
    specs = [n.args["spec"] for n in nodes if n.args.get("spec") is not None]
    items = list(orders[0].expressions) if orders else []
    return Window(partition, items, specs[0] if specs else None, text, base)


def whole_end(outline: Outline, call: Call) -> int:
    """Return the character after a call with all that belongs to it: WITHIN GROUP, FILTER and OVER."""
    index = _after(outline, call)
    if outline.word(index) == "over":
        index = outline.match.get(index + 1, index + 1) + 1
    return outline.tokens[index - 1].end + 1


def _after(outline: Outline, call: Call) -> int:
    """Return the token after a call and its WITHIN GROUP, FILTER and IGNORE NULLS."""
    index = call.close + 1
    while True:
        word = outline.word(index)
        if word in ("filter", "within group") and index + 1 in outline.match:
            index = outline.match[index + 1] + 1
        elif word == "within" and index + 2 in outline.match:
            index = outline.match[index + 2] + 1
        elif word in ("ignore", "respect") and outline.word(index + 1) == "nulls":
            index += 2
        else:
            return index


def _read_inside(outline: Outline, inside: Tokens, node: exp.Expr) -> WindowText:
    top = outline.top_level(inside)
    frame = None
    if node.args.get("spec") is not None:
        frame = next((i for i in reversed(top) if outline.word(i) in ("rows", "range", "groups")), None)
    order = next((i for i in top if outline.tokens[i].token_type == TokenType.ORDER_BY), None)
    end = inside[1] if frame is None else frame
    name = inside[0] if node.args.get("alias") is not None else None
    return WindowText(name, inside, None if order is None else (order + 1, end), frame)


def _base(subject: Subject, call: Call, over: exp.Window) -> tuple[exp.Expr | None, WindowText | None]:
    """Return the named window that a window uses, as node and as text."""
    alias = over.args.get("alias")
    select = over.find_ancestor(exp.Select)
    if alias is None or select is None or call.block is None or "window" not in call.block.clauses:
        return None, None
    outline = subject.outline
    for node in select.args.get("windows") or []:
        if node.this.name.lower() != alias.name.lower():
            continue
        for item in outline.split(call.block.clauses["window"][1]):
            if outline.tokens[item[0]].text.lower() == alias.name.lower():
                opened = next((i for i in range(*item) if i in outline.match), None)
                if opened is not None and node.args.get("alias") is None:
                    return node, _read_inside(outline, (opened + 1, outline.match[opened]), node)
    return None, None


def window_order(outline: Outline, window: Window, parts: Parts) -> Edit:
    """Return the edit that makes the ORDER BY of a window end in `parts`, for this call alone."""
    text, base = window.text, window.base
    if base is not None and (text.inside is None or (text.order is None and base.order is not None)):
        return _own_copy(outline, text, base, parts)
    assert text.inside is not None
    begin, end = text.inside
    last = (end if text.frame is None else text.frame) - 1
    place = outline.tokens[last].end + 1
    if text.order is not None:
        return Edit(place, place, (", ", *parts))
    lead = "order by " if last < begin else " order by "
    return Edit(place, place, (lead, *parts, *([" "] if last < begin and begin < end else [])))


def _own_copy(outline: Outline, text: WindowText, base: WindowText, parts: Parts) -> Edit:
    """Return the edit that writes out a named window, which other calls may share, with its order."""
    assert base.inside is not None
    assert text.name is not None
    token = outline.tokens[text.name]
    begin, end = base.inside
    frame = base.frame if text.frame is None else text.frame
    head_end = end if base.frame is None else base.frame
    head: Parts = [Span(*outline.span((begin, head_end)))] if begin < head_end else []
    lead = ", " if base.order is not None else " order by " if head else "order by "
    tail: Parts = [" ", Span(*outline.span((frame, end)))] if frame is not None and text.frame is None else []
    body = (*head, lead, *parts, *tail)
    return Edit(token.start, token.end + 1, body if text.inside is not None else ("(", *body, ")"))
