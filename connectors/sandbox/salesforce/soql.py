"""SOQL parsed by recursive descent; what the sandbox does not speak is refused by name.

Source: "SOQL SELECT Syntax", SOQL and SOSL Reference.
"""

from __future__ import annotations

import re

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.soql_tokens import Token, malformed, string_value, tokens
from connectors.sandbox.salesforce.soql_tree import (
    Aggregate,
    Comparison,
    Condition,
    FieldSet,
    Literal,
    Logic,
    Membership,
    Negation,
    Ordering,
    Path,
    Query,
)

MAX_LENGTH = 100_000  # "SOQL and SOSL Limits for Search Queries"

_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_RANGE = re.compile(
    r"(TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)|(LAST|NEXT)_90_DAYS"
    r"|(LAST|NEXT)_N_(DAYS|WEEKS|MONTHS|YEARS)|N_DAYS_AGO)\Z"
)
_CLAUSES = frozenset(
    {
        "FROM",
        "WHERE",
        "GROUP",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "HAVING",
        "WITH",
        "FOR",
        "USING",
        "ALL",
        "AND",
        "OR",
    }
)
_NOT_SPOKEN = {
    "HAVING": "HAVING",
    "WITH": "WITH",
    "FOR": "FOR VIEW, FOR REFERENCE and FOR UPDATE",
    "USING": "USING SCOPE",
    "ALL": "ALL ROWS (the REST API has queryAll for it)",
}


def parse(soql: str) -> Query:
    """The query as values. Raises RefusalError MALFORMED_QUERY in the vendor's words."""
    if len(soql) > MAX_LENGTH:
        raise RefusalError(
            400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters."
        )
    parser = _Parser(soql)
    query = parser.query()
    parser.end()
    return query


class _Parser:
    def __init__(self, soql: str) -> None:
        self._soql = soql
        self._tokens = tokens(soql)
        self._next = 0

    def query(self) -> Query:
        self._expect("SELECT")
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._expect("FROM")
        source = self._name()
        if "." in source.text:
            raise self._unexpected(source)
        alias = None
        if self._peek().kind == "name" and self._peek().word() not in _CLAUSES:
            alias = self._name().text
        where = self._condition() if self._take("WHERE") else None
        group: list[Path] = []
        if self._take("GROUP"):
            self._expect("BY")
            group.append(self._path())
            while self._take(","):
                group.append(self._path())
        order: list[Ordering] = []
        if self._take("ORDER"):
            self._expect("BY")
            order.append(self._ordering())
            while self._take(","):
                order.append(self._ordering())
        limit = self._count() if self._take("LIMIT") else None
        offset_position = self._peek().position
        offset = self._count() if self._take("OFFSET") else 0
        return Query(
            items=tuple(items),
            object=source.text,
            object_position=source.position,
            alias=alias,
            where=where,
            group=tuple(group),
            order=tuple(order),
            limit=limit,
            offset=offset,
            offset_position=offset_position,
        )

    def end(self) -> None:
        token = self._peek()
        if token.kind == "end":
            return
        if token.word() in _NOT_SPOKEN:
            raise malformed(
                self._soql, token.position, f"the sandbox does not speak {_NOT_SPOKEN[token.word()]}"
            )
        raise self._unexpected(token)

    def _item(self) -> Path | Aggregate | FieldSet:
        token = self._peek()
        if token.text == "(":
            raise malformed(self._soql, token.position, "the sandbox does not speak child subqueries")
        if token.kind != "name":
            raise self._unexpected(token)
        if self._tokens[self._next + 1].text != "(":
            return self._path()
        function = self._name()
        if function.word() == "FIELDS":
            self._expect("(")
            kind = self._advance()  # ALL is a keyword elsewhere
            if kind.word() not in ("ALL", "STANDARD", "CUSTOM"):
                raise self._unexpected(kind)
            self._expect(")")
            return FieldSet(kind=kind.word(), position=token.position)
        self._next -= 1
        return self._aggregate()

    def _aggregate(self) -> Aggregate:
        function = self._name()
        if function.word() not in _AGGREGATES:
            raise malformed(
                self._soql, function.position, f"the sandbox does not speak the function {function.text}"
            )
        self._expect("(")
        path = None if self._peek().text == ")" else self._path()
        self._expect(")")
        if path is None and function.word() != "COUNT":
            raise self._unexpected(self._peek())
        alias = None
        if self._peek().kind == "name" and self._peek().word() not in (*_CLAUSES, "ASC", "DESC", "NULLS"):
            alias = self._name().text
        return Aggregate(function=function.word(), path=path, alias=alias, position=function.position)

    def _condition(self) -> Condition:
        terms = [self._term()]
        operator = self._peek().word()
        if operator not in ("AND", "OR"):
            return terms[0]
        while self._take(operator):
            terms.append(self._term())
        if self._peek().word() in ("AND", "OR"):
            # "Condition Expression Syntax": AND and OR mix only with parentheses
            raise self._unexpected(self._peek())
        return Logic(operator=operator, terms=tuple(terms))

    def _term(self) -> Condition:
        if self._take("NOT"):
            return Negation(term=self._term())
        if self._take("("):
            inner = self._condition()
            self._expect(")")
            return inner
        path = self._path()
        token = self._advance()
        operator = {"<>": "!="}.get(token.text, token.word())
        if operator in ("=", "!=", "<", "<=", ">", ">="):
            return Comparison(path=path, operator=operator, literal=self._literal())
        if operator == "LIKE":
            return Comparison(path=path, operator="LIKE", literal=self._literal())
        if operator == "NOT":
            self._expect("IN")
            operator = "NOT IN"
        if operator not in ("IN", "NOT IN", "INCLUDES", "EXCLUDES"):
            raise self._unexpected(token)
        self._expect("(")
        if self._peek().word() == "SELECT":
            if operator not in ("IN", "NOT IN"):
                raise self._unexpected(self._peek())
            query = self.query()
            self._expect(")")
            return Membership(path=path, operator=operator, query=query)
        literals = [self._literal()]
        while self._take(","):
            literals.append(self._literal())
        self._expect(")")
        return Membership(path=path, operator=operator, literals=tuple(literals))

    def _literal(self) -> Literal:
        token = self._advance()
        if token.kind == "string":
            text = string_value(self._soql, token)
            pattern = string_value(self._soql, token, pattern=True)
            return Literal(kind="string", text=text, pattern=pattern, position=token.position)
        if token.kind in ("number", "date", "datetime"):
            return Literal(kind=token.kind, text=token.text, position=token.position)
        word = token.word()
        if word in ("TRUE", "FALSE"):
            return Literal(kind="boolean", text=word, position=token.position)
        if word == "NULL":
            return Literal(kind="null", text=word, position=token.position)
        if token.kind == "name" and _RANGE.match(word):
            count = None
            if "_N_" in word or word == "N_DAYS_AGO":
                self._expect(":")
                count = self._count()
            return Literal(kind="range", text=word, count=count, position=token.position)
        raise self._unexpected(token)

    def _ordering(self) -> Ordering:
        path: Path | Aggregate
        path = self._aggregate() if self._tokens[self._next + 1].text == "(" else self._path()
        descending = bool(self._take("DESC"))
        if not descending:
            self._take("ASC")
        nulls_last = False
        if self._take("NULLS"):
            nulls_last = bool(self._take("LAST"))
            if not nulls_last:
                self._expect("FIRST")
        return Ordering(path=path, descending=descending, nulls_last=nulls_last)

    def _path(self) -> Path:
        token = self._name()
        return Path(parts=tuple(token.text.split(".")), position=token.position)

    def _count(self) -> int:
        token = self._advance()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected(token)
        return int(token.text)

    def _name(self) -> Token:
        token = self._advance()
        if token.kind != "name" or token.word() in _CLAUSES:
            raise self._unexpected(token)
        return token

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _take(self, word: str) -> bool:
        token = self._peek()
        if token.kind in ("name", "symbol") and token.word() == word:
            self._next += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected(self._peek())

    def _unexpected(self, token: Token) -> RefusalError:
        return malformed(self._soql, token.position, f"unexpected token: '{token.text}'")
