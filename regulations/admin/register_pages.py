"""What the pages of registers share: they are read, and decided upon, but no row of them is typed."""

import json
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from regulations.admin.base import NOT_KNOWN, in_words
from regulations.importers.records import MODELS
from regulations.importers.registers import REGISTERS
from regulations.models import ImportRun

PER_PAGE = 50


class RegisterFilter(DropdownFilter):
    """Rows of one register; `path` leads from the row to the register's name."""

    title = "register"
    parameter_name = "register"
    path = "register"

    def lookups(self, request, model_admin):
        return [(key, title_of(key)) for key in REGISTERS]

    def queryset(self, request, queryset):
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class ReadPages(ModelAdmin):
    """Pages without an Add, a Save or a Delete."""

    list_per_page = PER_PAGE
    list_filter_submit = True
    list_fullwidth = True
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def page(self, request, template, title, **context):
        common = self.admin_site.each_context(request)
        return TemplateResponse(
            request,
            f"regulations/admin/imports/{template}.html",
            {**common, "opts": self.opts, "title": title, **context},
        )


class ReasonForm(forms.Form):
    """A decision is worth what its reason is worth."""

    reason = forms.CharField(
        max_length=500,
        help_text="On what ground: what you looked up, and where.",
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )

    def refuse(self, error):
        """Say a rule of the models that was broken at the form."""
        if isinstance(error, ValidationError):
            error = " ".join(error.messages)
        self.add_error(None, str(error))


def title_of(register):
    """What the register is called; its key if we import it no longer."""
    return REGISTERS[register].title if register in REGISTERS else register


def current_runs():
    """Of each register the last reading of its newest extract: what waits in it is what waits."""
    newest = ["extract__register", "-extract__on", "-pk"]
    return ImportRun.objects.order_by(*newest).distinct("extract__register").values("pk")


def part(request, rows):
    """The page of the rows that is asked for."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def back_to(request, otherwise):
    """Where the person came from, if that is a page of ours."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    return url if url.startswith("/admin/") and url_has_allowed_host_and_scheme(url, None) else otherwise


def page_of(record, name="change"):
    return reverse(f"admin:regulations_{record._meta.model_name}_{name}", args=[record.pk])


def cells_of(row):
    """The cells of a row in the file's order, with what each was taken to mean in words."""
    cells = list(row.cells.order_by("pk"))
    for cell in cells:
        cell.meaning = told("", cell.column, cell.value)
    return cells


def label_of(kind, name):
    """What a field of a kind of record is called."""
    names = {field.name: field for field in MODELS[kind]._meta.get_fields()} if kind in MODELS else {}
    return str(getattr(names.get(name), "verbose_name", name)).replace("_", " ").capitalize()


def told(kind, name, value):
    """A value that is kept as JSON, in words; it may be anything that a file says, so it is never marked as safe."""
    if value in (None, "", []):
        return NOT_KNOWN
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    field = next((each for each in MODELS[kind]._meta.fields if each.name == name), None) if kind in MODELS else None
    if field and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return in_words(_day(value)) if _day(value) else value


def _day(value):
    try:
        return date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        return None
