"""Who a row is about: matched by LEI and by folded name; where only one of both agrees, a person decides."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection

from regulations.importers.statements import Firm
from regulations.models import Company, RegisterEntry, Ruling
from regulations.models.identities import Folded


@dataclass(frozen=True)
class Known:
    """One of our companies."""

    company_id: int


@dataclass(frozen=True)
class New:
    """No company of ours. Firms of one extract with the same mark are one."""

    mark: tuple[str, str]


@dataclass(frozen=True)
class Waiting:
    """Only the LEI agrees with one of ours, or only the name: `sentence` says which, `companies` are the ones."""

    sentence: str
    companies: tuple[int, ...] = ()


Who = Known | New | Waiting


@dataclass
class Directory:
    """What our records know of the firms of an extract, read in a few queries."""

    folded: dict[str, str]
    by_lei: dict[str, int]
    by_name: dict[str, set[int]]
    entries: dict[tuple[str, str], set[int]]
    rulings: dict[tuple[str, str], int | None]
    # The firms of this extract that are new, by LEI and by folded name.
    new: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))

    def fold(self, name: str) -> str:
        """The name as names are compared; never shown."""
        return self.folded.get(name, "")

    def learn(self, names: Collection[str]) -> None:
        """Fold further names, so that they can be compared."""
        self.folded |= fold(set(names) - self.folded.keys())

    def who(self, firm: Firm) -> Who:
        """Whom the firm is."""
        marks = (firm.name, firm.lei_cell)
        if marks in self.rulings:
            ruled = self.rulings[marks]
            return Known(ruled) if ruled else self._new(firm, may_share_name=True)
        listed = self.entries.get((self.fold(firm.name), firm.lei_cell), set())
        if len(listed) == 1:
            return Known(next(iter(listed)))
        return self._matched(firm)

    def _matched(self, firm: Firm) -> Who:
        by_lei = self.by_lei.get(firm.lei) if firm.lei else None
        by_name = self.by_name.get(self.fold(firm.name), set())
        if by_lei and by_lei in by_name:
            return Known(by_lei)
        if by_lei:
            return Waiting("The LEI is that of a company of ours, the name is not.", (by_lei,))
        if by_name:
            said = "has no readable LEI" if not firm.lei else "has a LEI that is not ours"
            return Waiting(f"The name is that of a company of ours, but the row {said}.", tuple(sorted(by_name)))
        return self._new(firm)

    def _new(self, firm: Firm, may_share_name: bool = False) -> Who:
        mark = (firm.lei or firm.lei_cell, self.fold(firm.name))
        name = mark[1]
        if firm.lei and self.new[f"lei {firm.lei}"] - {mark}:
            return Waiting("Another row of the file has this LEI under another name.")
        if not may_share_name and self.new[f"name {name}"] - {mark}:
            return Waiting("Another row of the file has this name with another LEI.")
        self.new[f"lei {firm.lei}"].add(mark)
        self.new[f"name {name}"].add(mark)
        return New(mark)


def directory(register: str, firms: Collection[Firm], entries: Iterable[RegisterEntry]) -> Directory:
    """Gather what is known of these firms, whom the register listed before as `entries`."""
    entries = list(entries)
    names = {name for firm in firms for name in (firm.name, *firm.trading_names)}
    folded = fold(names | {entry.name for entry in entries})
    listed = defaultdict(set)
    for entry in entries:
        if entry.company_id:
            listed[folded[entry.name], entry.lei].add(entry.company_id)
    leis = {firm.lei for firm in firms if firm.lei}
    return Directory(
        folded=folded,
        by_lei={str(lei): pk for lei, pk in Company.objects.filter(lei__in=leis).values_list("lei", "pk")},
        by_name=_named({folded[name] for name in names} - {""}),
        entries=listed,
        rulings={
            (ruling.name, ruling.raw): ruling.company_id
            for ruling in Ruling.objects.filter(register=register, about=Ruling.About.FIRM)
        },
    )


def fold(names: Collection[str]) -> dict[str, str]:
    """Each name as names are compared (`models.identities.Folded`), by the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name, {_folded('name')} FROM unnest(%s::text[]) AS name",  # noqa: S608 - the expression is our own
            [list(names)],
        )
        return dict(cursor.fetchall())


def _named(folded: Collection[str]) -> dict[str, set[int]]:
    """The companies that have one of these folded names, as a name of any sort."""
    found: Mapping[str, set[int]] = defaultdict(set)
    arms = [
        f"SELECT {column}, {_folded(name)} AS folded FROM {table}"  # noqa: S608 - tables and columns are our own
        for column, name, table in (
            ("id", "name", "regulations_company"),
            ("id", "legal_name", "regulations_company"),
            ("company_id", "name", "regulations_companyname"),
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({' UNION ALL '.join(arms)}) AS named (id, folded) WHERE folded = ANY (%s)",  # noqa: S608
            [list(folded)],
        )
        for company_id, name in cursor.fetchall():
            found[name].add(company_id)
    return dict(found)


def _folded(column: str) -> str:
    return Folded.template % {"expressions": column}
