"""The outline of a text: its query blocks, clauses and calls as tokens, so that every place is exact."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot.tokenizer_core import Token, TokenType

from osiris_sql.compile.tokens import match_brackets, tokenize

_CLAUSES = {
    TokenType.SELECT: "select",
    TokenType.FROM: "from",
    TokenType.WHERE: "where",
    TokenType.GROUP_BY: "group",
    TokenType.HAVING: "having",
    TokenType.WINDOW: "window",
    TokenType.QUALIFY: "qualify",
    TokenType.ORDER_BY: "order",
    TokenType.LIMIT: "limit",
    TokenType.OFFSET: "offset",
    TokenType.FETCH: "fetch",
}
_TAIL = {"order", "limit", "offset", "fetch"}
_SETS = {TokenType.UNION, TokenType.INTERSECT, TokenType.EXCEPT}
_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.VALUES, TokenType.PIVOT}

Tokens = tuple[int, int]
"""A run of tokens: the first, and the one after the last."""


@dataclass(eq=False, slots=True)
class Block:
    """A query: `clauses` gives each clause's keyword and the tokens after it; a set operation has its
    members as blocks of their own."""

    first: int
    end: int
    parent: Block | None
    is_set: bool = False
    clauses: dict[str, tuple[int, Tokens]] = field(default_factory=dict)
    ctes: list[Tokens] = field(default_factory=list)
    recursive: bool = False


@dataclass(eq=False, slots=True)
class Call:
    """A call as written: its name in lower case, the tokens of the name and of the parentheses."""

    name: str
    start: int
    open: int
    close: int
    block: Block | None
    method: bool


class Outline:
    """The tokens of a text with its blocks (outer ones first) and calls; raises ValueError where the
    parentheses don't match or the text can't be split up."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        tokens = tokenize(sql)
        if tokens is None:
            raise ValueError("the text can't be split up")
        self.tokens: list[Token] = [*tokens]
        while self.tokens and self.tokens[-1].token_type == TokenType.SEMICOLON:
            self.tokens.pop()
        self.words = ["" if t.token_type == TokenType.IDENTIFIER else t.text.lower() for t in self.tokens]
        match = match_brackets(self.tokens)
        if match is None:
            raise ValueError("parentheses don't match")
        self.match = match
        self.blocks: list[Block] = []
        self.calls: list[Call] = []
        self.at = {token.start: index for index, token in enumerate(self.tokens)}
        self._query(0, len(self.tokens), None)

    def span(self, tokens: Tokens) -> tuple[int, int]:
        """Return the characters of a run of tokens, from its first up to the end of its last."""
        return self.tokens[tokens[0]].start, self.tokens[tokens[1] - 1].end + 1

    def text(self, tokens: Tokens) -> str:
        """Return the text of a run of tokens."""
        start, end = self.span(tokens)
        return self.sql[start:end]

    def word(self, index: int) -> str:
        """Return a token's text in lower case, or nothing outside the text; quoted names keep none."""
        return self.words[index] if 0 <= index < len(self.words) else ""

    def split(self, tokens: Tokens) -> list[Tokens]:
        """Return the parts of a list between its commas."""
        parts, begin = [], tokens[0]
        for index in self.top_level(tokens):
            if self.tokens[index].token_type == TokenType.COMMA:
                parts.append((begin, index))
                begin = index + 1
        return [part for part in (*parts, (begin, tokens[1])) if part[0] < part[1]]

    def top_level(self, tokens: Tokens) -> list[int]:
        """Return the tokens of a run that are not inside parentheses of it."""
        found, index = [], tokens[0]
        while index < tokens[1]:
            found.append(index)
            index = self.match.get(index, index) + 1 if index in self.match else index + 1
        return found

    def block_at(self, start: int) -> Block | None:
        """Return the innermost block that holds the token beginning at a character."""
        index = self.at.get(start)
        if index is None:
            return None
        inside = [b for b in self.blocks if b.first <= index < b.end]
        return min(inside, key=lambda b: b.end - b.first, default=None)

    def items(self, block: Block) -> list[Tokens]:
        """Return the items of a block's SELECT list."""
        if "select" not in block.clauses:
            return []
        begin, end = block.clauses["select"][1]
        if self.word(begin) == "distinct":
            begin += 1
            if self.word(begin) == "on":
                begin = self.match[begin + 1] + 1
        elif self.word(begin) == "all":
            begin += 1
        return self.split((begin, end))

    # ---------------------------------------------------------------------------------- building

    def _query(self, first: int, end: int, parent: Block | None) -> None:
        block = Block(first, end, parent)
        self.blocks.append(block)
        body = self._with(block)
        top = self.top_level((body, end))
        cuts = [index for index in top if self.tokens[index].token_type in _SETS]
        if not cuts:
            self._clauses(block, body, end)
            return
        block.is_set = True
        tail = next((i for i in top if i > cuts[-1] and self._clause(i) in _TAIL), end)
        begins = [body, *(self._member(cut) for cut in cuts)]
        for begin, stop in zip(begins, [*cuts, tail], strict=True):
            member = Block(begin, stop, block)
            self.blocks.append(member)
            self._clauses(member, begin, stop)
        self._clauses(block, tail, end)

    def _member(self, cut: int) -> int:
        """Return where a member of a set operation begins, after UNION [ALL | DISTINCT] [BY NAME]."""
        index = cut + 1
        while self.word(index) in ("all", "distinct", "by", "name", "by name"):
            index += 1
        return index

    def _with(self, block: Block) -> int:
        """Note the CTEs of a block and return where its body begins."""
        index = block.first
        if self.word(index) != "with":
            return index
        block.recursive = self.word(index + 1) == "recursive"
        begin = index + 2 if block.recursive else index + 1
        while True:
            index = begin
            while self.tokens[index].token_type != TokenType.ALIAS:
                index = self.match.get(index, index) + 1
            while self.tokens[index].token_type != TokenType.L_PAREN:
                index += 1
            block.ctes.append((begin, self.match[index] + 1))
            self._inside(index, block)
            index = self.match[index] + 1
            if self.tokens[index].token_type != TokenType.COMMA:
                return index
            begin = index + 1

    def _clauses(self, block: Block, first: int, end: int) -> None:
        opened: tuple[str, int] | None = None
        for index in self.top_level((first, end)):
            name = self._clause(index)
            if name is not None:
                self._close(block, opened, index)
                opened = (name, index)
            if index in self.match:
                self._inside(index, block)
        self._close(block, opened, end)

    def _close(self, block: Block, opened: tuple[str, int] | None, end: int) -> None:
        if opened is not None:
            block.clauses.setdefault(opened[0], (opened[1], (opened[1] + 1, end)))

    def _clause(self, index: int) -> str | None:
        name = _CLAUSES.get(self.tokens[index].token_type)
        if name == "from" and self.word(index - 1) == "distinct" and self.word(index - 2) in ("is", "not"):
            return None
        if self.word(index) == "using" and self.word(index + 1) == "sample":
            return "sample"
        return name

    def _inside(self, index: int, block: Block) -> None:
        """Read what stands in parentheses: a query, or expressions with calls and queries in them."""
        first, end = index + 1, self.match[index]
        self._note_call(index, block)
        if self.tokens[index].token_type == TokenType.L_PAREN and self._is_query(first, end):
            self._query(first, end, block)
            return
        for inner in self.top_level((first, end)):
            if inner in self.match:
                self._inside(inner, block)

    def _is_query(self, first: int, end: int) -> bool:
        if first >= end or self.word(first - 2) == "trim":
            return False
        if self.tokens[first].token_type == TokenType.L_PAREN:
            after = self.match[first] + 1
            follows = after >= end or self.tokens[after].token_type in _SETS or self._clause(after) in _TAIL
            return follows and self._is_query(first + 1, after - 1)
        return self.tokens[first].token_type in _STARTS or self.word(first) in ("pivot", "unpivot")

    def _note_call(self, index: int, block: Block) -> None:
        if index == 0 or self.tokens[index].token_type != TokenType.L_PAREN:
            return
        name = self.tokens[index - 1]
        if not name.text or not (name.text[0].isalpha() or name.text[0] == "_"):
            return
        if self.word(index - 1) == "filter" and self.word(index - 2) == ")":
            return  # a clause of the call before it
        dotted = index > 1 and self.tokens[index - 2].token_type == TokenType.DOT
        method = dotted and self.word(index - 3) not in ("main", "system", "pg_catalog")
        self.calls.append(Call(name.text.lower(), index - 1, index, self.match[index], block, method))
