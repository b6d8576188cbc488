"""SQL expressions that render JSON, and parameters that a compiled statement leaves open."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import models
from django.db.models import Expression, Field, Func, Lookup, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.sql.datastructures import BaseTable


class Json(models.Field):
    """The database's `json`: text that is JSON, with its keys in the order in which they were written."""

    def db_type(self, connection: Any) -> str:
        return "json"


class Param(Expression):
    """A value that a compiled statement takes at each execution.

    name: under which the value is given; `index` picks an item where the value is a list.
    """

    def __init__(self, name: str, output_field: Field, index: int | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name, self.index = name, index

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"%s::{self.output_field.db_type(connection)}", [self]

    def value_in(self, values: Mapping[str, Any]) -> Any:
        """The parameter's value among those of one execution."""
        value = values[self.name]
        return value if self.index is None else value[self.index]


@Field.register_lookup
class AnyOf(Lookup):
    """`column__any_of=array`: equal to an item of an array, which is one parameter however long it is."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        if isinstance(self.rhs, ArrayOf) and len(self.rhs.source_expressions) == 1:
            # Of an array the planner knows neither the length nor that an index on the column keeps its order.
            right, right_params = compiler.compile(self.rhs.source_expressions[0])
            return f"{left} = {right}", [*left_params, *right_params]
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} = ANY ({right})", [*left_params, *right_params]


models.ForeignKey.register_lookup(AnyOf)


class ArrayOf(Func):
    """An array of these values."""

    template = "ARRAY[%(expressions)s]"
    output_field = models.Field()


class JsonObject(Func):
    """A JSON object with these members, in this order; the members' names are ours, never a user's."""

    output_field = Json()

    def __init__(self, **members: Any) -> None:
        super().__init__(*members.values())
        self.names = list(members)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        # A sub-select that is turned into JSON as a row keeps the names once in the plan, and writes no spaces.
        columns, params = [], []
        for name, expression in zip(self.names, self.source_expressions, strict=True):
            sql, expression_params = compiler.compile(expression)
            columns.append(f'{sql} AS "{name}"')
            params.extend(expression_params)
        return f"(SELECT row_to_json(_) FROM (SELECT {', '.join(columns)}) AS _)", params  # noqa: S608 (names and SQL are ours)


class Slice(Subquery):
    """Some rows of an ordered query: `size` of them, after as many as the parameter `offset` says.

    The size stands in the statement, so that the planner knows that few rows are wanted.
    """

    def __init__(self, queryset: QuerySet, size: int, *, has_offset: bool) -> None:
        super().__init__(queryset[:size])
        self.offset = Param("offset", models.BigIntegerField()) if has_offset else None

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        sql, params = super().as_sql(compiler, connection, **context)
        if self.offset is None:
            return sql, list(params)
        offset, offset_params = compiler.compile(self.offset)
        return f"{sql[:-1]} OFFSET {offset})", [*params, *offset_params]


class Merged(Func):
    """Some ids of ordered queries taken together, as a `Slice` of one query: each finds its own first rows.

    querysets: each of the id and what it is ordered by; no row is in two of them. order: the directions of the columns.
    """

    output_field = models.BigIntegerField()

    def __init__(self, querysets: Sequence[QuerySet], order: Sequence[str], size: int, *, has_offset: bool) -> None:
        super().__init__(*map(Subquery, querysets))
        self.order, self.size = order, size
        self.offset = Param("offset", models.BigIntegerField()) if has_offset else None

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        offset, offset_params = compiler.compile(self.offset) if self.offset else ("0", [])
        arms, params = [], []
        for query in self.source_expressions:
            sql, query_params = compiler.compile(query)
            arms.append(f"{sql[:-1]} LIMIT {self.size} + {offset})")
            params += [*query_params, *offset_params]
        columns = [f"column_{place}" for place in range(len(self.order))]
        order = ", ".join(f"{column} {direction}" for column, direction in zip(columns, self.order, strict=True))
        rows = f"({' UNION ALL '.join(arms)}) AS merged ({', '.join(['id', *columns])})"
        return f"(SELECT id FROM {rows} ORDER BY {order} LIMIT {self.size} OFFSET {offset})", [*params, *offset_params]  # noqa: S608 (compiled by the ORM)


class Items(Func):
    """The items of an array, as rows."""

    template = "(SELECT unnest(%(expressions)s))"
    output_field = models.BigIntegerField()


class SlicedTable(BaseTable):
    """Some rows of a table, under its name."""

    def __init__(self, table_name: str, alias: str, rows: Slice) -> None:
        super().__init__(table_name, alias)
        self.rows = rows

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, params = compiler.compile(self.rows)
        return f"{sql} {compiler.quote_name_unless_alias(self.table_alias)}", list(params)


def only(queryset: QuerySet, size: int, *, has_offset: bool) -> QuerySet:
    """A query that sees just some rows of an ordered query, and may join others to them; ordered anew as it likes."""
    columns = [field.attname for field in queryset.model._meta.concrete_fields]
    found = queryset.model._base_manager.all()
    alias = found.query.get_initial_alias()
    table = SlicedTable(
        queryset.model._meta.db_table, alias, Slice(queryset.values(*columns), size, has_offset=has_offset)
    )
    found.query.alias_map[alias] = table
    return found


class JsonArray(Subquery):
    """The JSON array of a query's single column, in the query's order; empty where the query finds nothing."""

    template = "array_to_json(ARRAY(%(subquery)s))"

    def __init__(self, queryset: QuerySet) -> None:
        super().__init__(queryset, output_field=Json())


class CountOf(Subquery):
    """How many rows a query finds."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = models.BigIntegerField()


def quoted(text: str) -> str:
    """A constant text in a statement that takes parameters."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


class JsonLiteral(Expression):
    """A constant, as JSON. It comes from our code, never from a request."""

    def __init__(self, value: Any) -> None:
        super().__init__(output_field=Json())
        self.value = value

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{quoted(orjson.dumps(self.value).decode())}::json", []


class JsonChoice(Func):
    """A coded value as the `parts` (code, label) of it; null where it is none of the choices, such as an empty one."""

    output_field = Json()

    def __init__(self, code: Combinable, choices: Mapping[str, str], parts: Sequence[str]) -> None:
        super().__init__(code)
        self.choices, self.parts = dict(choices), tuple(parts)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        code, params = compiler.compile(self.source_expressions[0])
        branches = (f"WHEN {quoted(word)} THEN {self._literal(compiler, word)}" for word in self.choices)
        return f"CASE {code} {' '.join(branches)} END", list(params)

    def _literal(self, compiler: Any, word: str) -> str:
        whole = {"code": word, "label": self.choices[word]}
        return compiler.compile(JsonLiteral({part: whole[part] for part in self.parts}))[0]


class Address(Func):
    """The address of a record: the API's root, the collection, the key."""

    output_field = models.TextField()

    def __init__(self, root: Combinable, collection: str, key: Combinable) -> None:
        super().__init__(root, key)
        self.collection = collection

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        (root, root_params), (key, key_params) = (compiler.compile(part) for part in self.source_expressions)
        return f"({root} || '{self.collection}/' || {key} || '/')", [*root_params, *key_params]
