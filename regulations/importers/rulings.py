"""What a run asks of people: who a row is about, and what a cell means that no rule could read."""

from collections.abc import Collection
from dataclasses import dataclass

from regulations.importers.extracts import NAME_COLUMN, read_rows, rulings
from regulations.importers.files import Table
from regulations.importers.identity import Known, Waiting, directory
from regulations.importers.readings import Cell, Outcome, Reading
from regulations.importers.statements import Firm, Register
from regulations.models import Company, ImportCell, ImportRow, ImportRun, RegisterEntry, Ruling


@dataclass(frozen=True)
class Question:
    """Who is the firm? `companies` are the ids of those that it may be.

    can_be_ruled: whether a person's word on the firm answers what the row waits for.
    """

    firm: Firm
    companies: tuple[int, ...]
    can_be_ruled: bool


def who_is_it(register: Register, run: ImportRun, rows: Collection[ImportRow]) -> dict[int, Question]:
    """What is asked about these rows of a run, by the row's id; rows that name no firm are left out.

    rows: with their cells at hand. The number of queries does not depend on that of the rows.
    """
    firms = _firms(register, run, rows)
    entries = RegisterEntry.objects.filter(register=register.key, company__isnull=False).defer("said", "apart")
    known = directory(register.key, list(firms.values()), entries)
    asked = {}
    for pk, firm in firms.items():
        who = known.who(firm)
        asked[pk] = Question(firm, who.companies if isinstance(who, Waiting) else (), not isinstance(who, Known))
    return asked


def rule_on_firm(register: Register, firm: Firm, company: Company | None, by: str, reason: str) -> Ruling:
    """Keep a person's word on who a firm of a register is: one of our companies, or none.

    Raises ValidationError if it is decided already.
    """
    return _kept(
        Ruling(
            about=Ruling.About.FIRM,
            register=register.key,
            name=firm.name,
            raw=firm.lei_cell,
            company=company,
            decided_by=by,
            reason=reason,
        )
    )


def rule_on_cell(register: Register, cell: ImportCell, value: str, by: str, reason: str) -> Ruling:
    """Keep a person's word on what a cell means; an empty value: it says nothing.

    Raises ValidationError if it is decided already.
    """
    ruling = Ruling(
        about=Ruling.About.CELL,
        register=register.key,
        name=_raw(cell.row).get(NAME_COLUMN, ""),
        column=cell.column,
        raw=cell.raw,
        value=value,
        decided_by=by,
        reason=reason,
    )
    return _kept(ruling)


def ruling_on_cell(register: Register, cell: ImportCell) -> Ruling | None:
    """What a person has said of such a cell of the same firm, if anything."""
    facts = {"name": _raw(cell.row).get(NAME_COLUMN, ""), "column": cell.column, "raw": cell.raw}
    return Ruling.objects.filter(about=Ruling.About.CELL, register=register.key, **facts).first()


def ruling_on_firm(register: Register, firm: Firm) -> Ruling | None:
    """What a person has said of who the firm is, if anything."""
    facts = {"name": firm.name, "raw": firm.lei_cell}
    return Ruling.objects.filter(about=Ruling.About.FIRM, register=register.key, **facts).first()


def read_as(register: Register, cell: ImportCell, said: str) -> Reading:
    """How the cell would be read if it said this; so a person's word is held to the same form."""
    rule = register.columns.get(cell.column)
    asked = Cell(cell.column, said, _raw(cell.row), cell.row.run.extract.on)
    return rule(asked) if rule and said else Reading(Outcome.KEPT)


def _firms(register: Register, run: ImportRun, rows: Collection[ImportRow]) -> dict[int, Firm]:
    in_order = list(rows)
    cells = [_raw(row) for row in in_order]
    table = Table(tuple(run.columns), tuple(tuple(raw[column] for column in run.columns) for raw in cells))
    read = read_rows(register, table, run.extract.on, rulings(register))
    stated = zip(in_order, read, strict=True)
    return {row.pk: each.statement.firm for row, each in stated if each.statement.firm}


def _raw(row: ImportRow) -> dict[str, str]:
    return {cell.column: cell.raw for cell in row.cells.all()}


def _kept(ruling: Ruling) -> Ruling:
    ruling.full_clean()
    ruling.save()
    return ruling
