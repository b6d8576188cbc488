"""Rows and cells that no rule could read: what they say, and the form in which a person decides."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponseRedirect
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from regulations.admin.base import KIND, NOT_KNOWN, in_words, told_by
from regulations.admin.fields import RecordSelect
from regulations.admin.register_pages import (
    ReadPages,
    ReasonForm,
    RegisterFilter,
    back_to,
    cells_of,
    current_runs,
    page_of,
    title_of,
)
from regulations.importers.extracts import NAME_COLUMN
from regulations.importers.readings import Outcome
from regulations.importers.registers import REGISTERS
from regulations.importers.rulings import (
    read_as,
    rule_on_cell,
    rule_on_firm,
    ruling_on_cell,
    ruling_on_firm,
    who_is_it,
)
from regulations.models import Company, ImportCell, ImportRow, RegisterEntry, Ruling

NONE_OF_OURS = "none"
ANOTHER = "another"
LATER = "It counts from the next reading on: read the extract again."


def waiting_rows():
    """Rows that wait for a person's word on whose they are, in the last reading of each register."""
    return ImportRow.objects.filter(state=ImportRow.State.WAITING, run__in=current_runs())


def quarantined_cells():
    """Cells put aside in the last reading of each register; `has_ruling`: whether a person has said what they mean."""
    cells = ImportCell.objects.filter(outcome=ImportCell.Outcome.QUARANTINED, row__run__in=current_runs())
    ruled = Ruling.objects.filter(
        about=Ruling.About.CELL,
        register=OuterRef("row__run__extract__register"),
        column=OuterRef("column"),
        raw=OuterRef("raw"),
        name=OuterRef("name"),
    )
    return cells.annotate(name=_name_in("row")).annotate(has_ruling=Exists(ruled))


def _name_in(row):
    names = ImportCell.objects.filter(row=OuterRef(row), column=NAME_COLUMN).values("raw")
    return Coalesce(Subquery(names[:1]), Value(""), output_field=TextField())


def narrow(words):
    """Words of a column that may be long, so that the others keep their place."""
    return format_html(
        '<span style="display: block; min-width: 10rem; max-width: 20rem; overflow-wrap: anywhere">{}</span>', words
    )


class FirmForm(ReasonForm):
    """Which of our companies a row is about."""

    who = forms.ChoiceField(label="Who is it?", widget=UnfoldAdminRadioSelectWidget)
    company = forms.ModelChoiceField(Company.objects.all(), required=False, help_text="Only if it is another of ours.")
    field_order = ["who", "company", "reason"]

    def __init__(self, *args, candidates, admin_site, **kwargs):
        super().__init__(*args, **kwargs)
        self.candidates = {str(company.pk): company for company in candidates}
        self.fields["who"].choices = [
            *((pk, f"It is {company}") for pk, company in self.candidates.items()),
            (NONE_OF_OURS, "It is none of our companies: another firm"),
            (ANOTHER, "It is another company of ours, looked up below"),
        ]
        self.fields["company"].widget = RecordSelect(RegisterEntry._meta.get_field("company"), admin_site)
        self.fields["company"].widget.choices = self.fields["company"].choices

    def clean(self):
        said = super().clean()
        if said.get("who") == ANOTHER and not said.get("company"):
            self.add_error("company", "Look up which company it is.")
        return said

    def chosen(self):
        """The company; none if the firm is none of ours."""
        who = self.cleaned_data["who"]
        return self.cleaned_data["company"] if who == ANOTHER else self.candidates.get(who)


class CellForm(ReasonForm):
    """What a cell means, as a clean cell would say it."""

    value = forms.CharField(
        label="It means",
        required=False,
        strip=True,
        help_text="As a clean cell of this column would say it. Leave it empty if the cell says nothing.",
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
    )
    field_order = ["value", "reason"]

    def __init__(self, *args, register, cell, **kwargs):
        super().__init__(*args, **kwargs)
        self.register, self.cell = register, cell

    def clean_value(self):
        value = self.cleaned_data["value"]
        reading = read_as(self.register, self.cell, value)
        if reading.outcome == Outcome.QUARANTINED:
            raise ValidationError(f"A cell that said so would be put aside as well: {reading.explanation}")
        return value


class OfRow(RegisterFilter):
    path = "run__extract__register"


class OfCell(RegisterFilter):
    path = "row__run__extract__register"


class QueuePages(ReadPages):
    """What waits in the last reading of each register. Who may add a ruling decides."""

    heading = ""

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("regulations.add_ruling")

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": self.heading, **(extra_context or {})})

    def asked(self, request, object_id, run):
        """The row or cell with this id. Answers 403 and 404, and 403 if somebody decides who may not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        try:
            found = self.model.objects.select_related(f"{run}extract").defer(f"{run}extract__content").get(pk=object_id)
        except (self.model.DoesNotExist, ValueError) as error:
            raise Http404("There is no such row.") from error
        return found

    def ruled(self, request, record, rule):
        """Keep the ruling and lead back; the form says what is wrong with it."""
        told_by(request, rule)
        messages.success(request, f"Decided. {LATER}")
        return HttpResponseRedirect(back_to(request, page_of(record)))


@admin.register(ImportRow)
class WaitingRowAdmin(QueuePages):
    heading = "Who is it?"
    list_display = ["firm", "register", "day", "number", "note"]
    list_display_links = ["firm"]
    list_filter = [OfRow]
    search_fields = ["note"]

    def get_queryset(self, request):
        rows = waiting_rows().select_related("run__extract").defer("run__extract__content")
        return rows.annotate(name=_name_in("pk")).order_by("run__extract__register", "number")

    @display(description="firm, as the register writes it")
    def firm(self, row):
        return row.name or "(no name)"

    @display(description="register")
    def register(self, row):
        return title_of(row.run.extract.register)

    @display(description="extract")
    def day(self, row):
        return in_words(row.run.extract.on)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A row as it stands in the file, and who it is about."""
        row = self.asked(request, object_id, "run__")
        register = REGISTERS.get(row.run.extract.register)
        waits = row.state == ImportRow.State.WAITING and register
        question = who_is_it(register, row.run, [row]).get(row.pk) if waits else None
        ruling = ruling_on_firm(register, question.firm) if question else None
        found = Company.objects.in_bulk(question.companies) if question else {}
        form = None
        if question and not ruling and question.can_be_ruled and self.has_change_permission(request):
            initial = {"who": request.GET.get("who", "")}
            form = FirmForm(
                request.POST or None, candidates=found.values(), admin_site=self.admin_site, initial=initial
            )
        if request.method == "POST" and form and form.is_valid():
            try:
                said = (form.chosen(), request.user.get_username(), form.cleaned_data["reason"])
                return self.ruled(request, row, lambda: rule_on_firm(register, question.firm, *said))
            except ValidationError as error:
                form.refuse(error)
        title = f"Row {row.number} of {title_of(row.run.extract.register)}, {in_words(row.run.extract.on)}"
        shown = {"question": question, "candidates": found.values(), "ruling": ruling, "form": form}
        return self.page(request, "row", title, row=row, cells=cells_of(row), next=back_to(request, ""), **shown)


@admin.register(ImportCell)
class QuarantinedCellAdmin(QueuePages):
    heading = "Quarantine"
    list_display = ["said", "where", "why", "proposed", "decided"]
    list_display_links = ["said"]
    list_filter = [OfCell, ("reason", KIND)]
    search_fields = ["raw", "column", "explanation"]

    def get_queryset(self, request):
        cells = quarantined_cells().select_related("row__run__extract").defer("row__run__extract__content")
        return cells.order_by("has_ruling", "row__run__extract__register", "pk")

    @display(description="the cell says")
    def said(self, cell):
        return narrow(cell.raw[:200] or "(nothing)")

    @display(description="of")
    def where(self, cell):
        return narrow(f"{cell.name or '(no name)'}, {cell.column}, {cell.row.run.extract.register}")

    @display(description="why it is put aside")
    def why(self, cell):
        return narrow(f"{cell.get_reason_display()}: {cell.explanation}")

    @display(description="proposal")
    def proposed(self, cell):
        return narrow(cell.proposal) if cell.proposal else NOT_KNOWN

    @display(description="decided")
    def decided(self, cell):
        return "yes, read again" if cell.has_ruling else "no"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A cell, why it was put aside, and what it means."""
        cell = self.asked(request, object_id, "row__run__")
        extract = cell.row.run.extract
        register = REGISTERS.get(extract.register)
        ruling = ruling_on_cell(register, cell) if register else None
        is_open = cell.outcome == ImportCell.Outcome.QUARANTINED and cell.column in getattr(register, "columns", ())
        form = None
        if is_open and not ruling and self.has_change_permission(request):
            initial = {"value": request.GET.get("value", cell.proposal)}
            form = CellForm(request.POST or None, register=register, cell=cell, initial=initial)
        if request.method == "POST" and form and form.is_valid():
            try:
                said = (form.cleaned_data["value"], request.user.get_username(), form.cleaned_data["reason"])
                return self.ruled(request, cell, lambda: rule_on_cell(register, cell, *said))
            except ValidationError as error:
                form.refuse(error)
        title = f"{cell.column} in row {cell.row.number} of {title_of(extract.register)}, {in_words(extract.on)}"
        shown = {"cell": cell, "row": cell.row, "cells": cells_of(cell.row), "ruling": ruling, "form": form}
        return self.page(request, "cell", title, next=back_to(request, ""), **shown)
