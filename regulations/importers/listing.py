"""Whose rows they are: each thing that an extract lists, with the firm and with the entry that it is."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from regulations.importers.identity import Directory, Known, New, Waiting, Who, directory
from regulations.importers.plans import Plan, State
from regulations.importers.standing import Standing, standing
from regulations.importers.statements import Firm, Kind, Statement, Thing
from regulations.models import RegisterEntry

# Of one of our companies, its id; of a firm that is new, what tells it from the others that are.
Mark = tuple[str, str] | int


@dataclass
class Listed:
    """A thing as some rows list it, the first of them first."""

    firm: Firm
    thing: Thing
    rows: list[int]
    entry: RegisterEntry | None = None


class Listing:
    """The things of an extract, by the firm and the kind of thing.

    left: the numbers of the rows that nothing is done by; the plan says why.
    """

    def __init__(self, register: str, statements: Mapping[int, Statement], result: Plan) -> None:
        self.result = result
        self.standing: Standing = standing(register)
        result.seen_before, result.published = self.standing.seen, self.standing.published
        firms = [statement.firm for statement in statements.values() if statement.firm]
        others = [other for each in statements.values() for thing in each.things for other in thing.others]
        self.directory: Directory = directory(register, [*firms, *others], self.standing.entries)
        self.listed: dict[tuple[Mark, Kind], list[Listed]] = defaultdict(list)
        self.left: set[int] = set()
        self.by_name: dict[str, list[RegisterEntry]] = defaultdict(list)
        self.by_lei: dict[str, list[RegisterEntry]] = defaultdict(list)
        for entry in self.standing.entries:
            self.by_name[self.directory.fold(entry.name)].append(entry)
            self.by_lei[entry.lei].append(entry)
        for number, statement in statements.items():
            self._place(number, statement)
        for (mark, kind), listed in self.listed.items():
            self._find_entries(mark, kind, listed)

    def _place(self, number: int, statement: Statement) -> None:
        firm = statement.firm
        who = self._who(firm) if firm and not statement.set_aside else None
        if statement.set_aside or firm is None:
            self.leave(number, State.SET_ASIDE, statement.set_aside or "The row names no firm.", firm)
        elif isinstance(who, Waiting):
            self.leave(number, State.WAITING, who.sentence, firm)
        elif who is not None:
            mark = who.company_id if isinstance(who, Known) else who.mark
            for thing in statement.things:
                self._list(number, mark, firm, thing)
            if not statement.things:
                self.leave(number, State.SET_ASIDE, "The row lists nothing that we keep.", firm)

    def _who(self, firm: Firm) -> Who:
        if not firm.becomes_company:
            return New((firm.lei_cell, self.directory.fold(firm.name)))
        return self.directory.who(firm)

    def leave(self, number: int, state: State, note: str, firm: Firm | None) -> None:
        """Nothing is done by this row; but whoever it may be of is listed, and so has not ended."""
        self.result.rows[number] = (state, note)
        self.left.add(number)
        if firm:
            named = self.by_name[self.directory.fold(firm.name)] if firm.name else []
            numbered = self.by_lei[firm.lei_cell] if firm.lei_cell else []
            self.result.seen[number] |= {entry.pk for entry in (*named, *numbered)}

    def _list(self, number: int, mark: Mark, firm: Firm, thing: Thing) -> None:
        same = next((each for each in self.listed[mark, thing.kind] if each.thing.apart == thing.apart), None)
        if same is None:
            self.listed[mark, thing.kind].append(Listed(firm, thing, [number]))
        elif same.thing.fields == thing.fields:
            same.rows.append(number)
        else:
            note = f"Row {same.rows[0]} lists the same {thing.kind.label.lower()}, and says otherwise of it."
            self.leave(number, State.SET_ASIDE, note, firm)

    def _find_entries(self, mark: Mark, kind: Kind, listed: list[Listed]) -> None:
        """Entries that were listed with the same mark apart; one that is left over may have moved, if one thing has."""
        open_entries = self._entries_of(mark, kind)
        for each in listed:
            each.entry = open_entries.pop(each.thing.apart, None)
        left = [each for each in listed if each.entry is None]
        if not left or not open_entries or not left[0].thing.may_move:
            return
        if len(left) == len(open_entries) == 1:
            left[0].entry = open_entries.popitem()[1]
            return
        for each in left:
            note = "The register listed others of this firm before; which of these it is cannot be told."
            self.leave(each.rows[0], State.WAITING, note, each.firm)

    def _entries_of(self, mark: Mark, kind: Kind) -> dict[str, RegisterEntry]:
        if isinstance(mark, int):
            return dict(self.standing.by_company.get((mark, kind), {}))
        lei, name = mark
        return {
            entry.apart: entry
            for entry in self.by_name[name]
            if entry.kind == kind and not entry.company_id and lei in ("", entry.lei)
        }
