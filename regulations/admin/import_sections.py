"""What the page of a run shows below its head: one section at a time, page by page, in a fixed number of queries."""

from dataclasses import dataclass

from django.db.models import Count, Prefetch

from regulations.admin.register_pages import label_of, page_of, part, told
from regulations.importers.extracts import NAME_COLUMN, rulings
from regulations.importers.records import KEYS, MODELS
from regulations.importers.registers import REGISTERS
from regulations.importers.rulings import who_is_it
from regulations.models import Company, ImportCell, ImportChange, ImportRow

Action = ImportChange.Action
State = ImportRow.State
CHANGES = {"added": Action.ADD, "changed": Action.CHANGE, "ended": Action.END}
ROWS = {"waiting": State.WAITING, "set_aside": State.SET_ASIDE}
TITLES = {
    "waiting": "Who is it?",
    "quarantined": "Quarantined cells",
    "set_aside": "Rows set aside",
    "added": "Added",
    "changed": "Changed",
    "ended": "No longer listed",
}


@dataclass
class Section:
    name: str
    title: str
    count: int
    items: object = None

    @property
    def template(self):
        looks = "changes" if self.name in CHANGES else "rows" if self.name in ROWS else "cells"
        return f"regulations/admin/imports/section_{looks}.html"


def sections_of(run):
    """All sections with how many items each has."""
    actions = dict(run.changes.order_by().values_list("action").annotate(Count("pk")))
    states = dict(run.rows.order_by().values_list("state").annotate(Count("pk")))
    counts = {name: actions.get(action, 0) for name, action in CHANGES.items()}
    counts |= {name: states.get(state, 0) for name, state in ROWS.items()}
    counts["quarantined"] = run.quarantined_count
    return {name: Section(name, title, counts[name]) for name, title in TITLES.items()}


def sums_of(sections):
    """What a run would do to records, in one line."""
    added, changed, ended = (sections[name].count for name in CHANGES)
    return f"{added:,} added, {changed:,} changed, {ended:,} ended"


def section_of(request, run, sections):
    """The section that is asked for, else the first that has anything, with the page of its items."""
    first = next((each for each in sections.values() if each.count), sections["added"])
    current = sections.get(request.GET.get("section"), first)
    current.items = _items(request, run, current.name)
    return current


def _items(request, run, name):
    if name in CHANGES:
        return _changes(request, run, CHANGES[name])
    return _rows(request, run, ROWS[name]) if name in ROWS else _cells(request, run)


def _changes(request, run, action):
    page = part(request, run.changes.filter(action=action).select_related("row"))
    links = _links(page.object_list)
    for change in page.object_list:
        change.kind_in_words = change.kind.replace("_", " ").capitalize()
        change.link = links.get((change.kind, change.record))
        change.told = [
            (label_of(change.kind, name), told(change.kind, name, before), told(change.kind, name, after))
            for name, (before, after) in sorted(change.fields.items())
        ]
    return page


def _links(changes):
    """The pages of the records that are there."""
    links = {}
    for kind, model in MODELS.items():
        key = KEYS[model]
        keys = [change.record for change in changes if change.kind == kind]
        for record in model.objects.filter(**{f"{key}__in": keys}).only("pk", key) if keys else ():
            links[kind, getattr(record, key)] = page_of(record)
    return links


def _rows(request, run, state):
    cells = Prefetch("cells", ImportCell.objects.order_by("pk"))
    page = part(request, run.rows.filter(state=state).prefetch_related(cells))
    register = REGISTERS.get(run.extract.register)
    asked = who_is_it(register, run, page.object_list) if register else {}
    found = Company.objects.in_bulk({pk for question in asked.values() for pk in question.companies})
    for row in page.object_list:
        row.question = asked.get(row.pk)
        row.candidates = [found[pk] for pk in row.question.companies if pk in found] if row.question else []
        row.name = next((cell.raw for cell in row.cells.all() if cell.column == NAME_COLUMN), "")
    return page


def _cells(request, run):
    quarantined = ImportCell.objects.filter(row__run=run, outcome=ImportCell.Outcome.QUARANTINED)
    page = part(request, quarantined.select_related("row").order_by("pk"))
    rows = [cell.row_id for cell in page.object_list]
    names = dict(ImportCell.objects.filter(row__in=rows, column=NAME_COLUMN).values_list("row_id", "raw"))
    register = REGISTERS.get(run.extract.register)
    ruled = rulings(register) if register else {}
    for cell in page.object_list:
        cell.name = names.get(cell.row_id, "")
        cell.ruling = ruled.get((cell.name, cell.column, cell.raw))
    return page
