"""A table that stands in for a collection's records where they are asked for by what one related record is.

Who has a licence of some sort: the licences that meet the conditions are many, those who hold them are wanted in the
order of their own keys, and no index of either table has both. A table of copies of the related records can, with the
key of whom they belong to: it is walked in the list's order until a page is full.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from kbase.reading.covering import Copies, Shape
from kbase.reading.expressions import ArrayOf
from kbase.reading.groups import Related
from kbase.reading.parameters import ONE, Parameter
from kbase.reading.statements import Statement, compile_statement, counting


@dataclass(frozen=True)
class RelatedCovering(Copies):
    """Declares such a table, for questions about now that name one group alone: one related record meets its conditions.

    group: the name of the group, by the names of whose conditions the rows can be asked for.
    key: the column with the key of the record that a row stands for, by which lists of these are ordered.
    first: the conditions that its indexes begin with; one of them has to ask for one value, or too much would be walked.
    """

    group: str
    key: str
    first: frozenset[str]

    def covers(self, shape: Shape, order: Iterable[str] = ()) -> bool:
        """Whether it can answer these filters, in an order of these columns."""
        if not set(order) <= {self.key} or [name for name, _ in shape] != [self.group]:
            return False
        conditions, holding = shape[0][1]
        begins = any(name in self.first and shaped == ONE for name, shaped in conditions)
        return begins and not holding and all(self.has(name) for name, _ in conditions)

    def matching(self, filters: Mapping[str, Parameter], shape: Shape) -> QuerySet:
        """The records that meet the filters, by their ids and keys, each once."""
        related, rows = filters[self.group], self.rows
        assert isinstance(related, Related), f"{self.group} is a group"
        for name, shaped in shape[0][1][0]:
            declared = related.group.conditions[name]
            for value in declared.values(f"{self.group}:{name}", shaped):
                rows = rows.filter(self.condition(name, declared)(value))
        # The rows of one record stand together in an index that is walked: grouping them needs no sorting.
        return rows.values(self.key, self.record).annotate(met=Count("*"))

    def count(self, filters: Mapping[str, Parameter], shape: Shape) -> Statement:
        """The statement that counts the records that meet the filters."""
        return counting(compile_statement(self.matching(filters, shape).order_by().values(self.record)))


def links_of(records: QuerySet, filters: Mapping[str, Parameter], shape: Shape) -> QuerySet | None:
    """Rows of a relation that stand for the records one by one, where one related record is all that is asked for.

    records: the collection's; None is returned if these are not all of their table. The rows are fewer than the records, and
    stay as they are when a record is edited, so that their count is kept.
    """
    if records.query.where or len(shape) != 1:
        return None
    [(name, shaped)] = shape
    links, values = filters[name].links, filters[name].values(name, shaped)
    return links(values[0]) if links and isinstance(values[0], ArrayOf) else None
