"""What the pages of all records share: they look records up instead of listing them, and say what is wrong in words."""

from datetime import date
from urllib.parse import urlencode

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.messages import get_messages
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import BadRequest
from django.db import IntegrityError, OperationalError, models
from django.db.models import Case, Q, Value, When
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from psycopg.errors import DeadlockDetected
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    MultipleChoicesDropdownFilter,
    RangeDateFilter,
)
from unfold.decorators import display
from unfold.widgets import UnfoldAdminExpandableTextareaWidget, UnfoldAdminTextareaWidget

from regulations.admin.fields import LinesField, RecordSelect, RecordSelectMultiple
from regulations.admin.forms import RecordForm, RowsFormSet
from regulations.admin.refusals import protecting, refusal_in_words
from regulations.models import Change, change

ONE_OF = AutocompleteSelectMultipleFilter
KIND = MultipleChoicesDropdownFilter
BETWEEN = RangeDateFilter

NOT_KNOWN = "—"
FORMATS = {"day": "j F Y", "month": "F Y", "year": "Y"}


def change_link(record, text=None, tab=""):
    """Return a link to the record's own page, or to one of its tabs such as "#citations"."""
    if record is None:
        return NOT_KNOWN
    url = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
    return format_html('<a href="{}{}" class="text-link">{}</a>', url, tab, text or record)


def in_words(day: date | None, precision: str = "day") -> str:
    """Write a day as exactly as it is known."""
    return format_date(day, FORMATS[precision]) if day else NOT_KNOWN


def dated(field, description=None):
    """Return a column for a date that comes with its precision."""

    @display(description=description or field.replace("_", " "), ordering=field)
    def column(row):
        return in_words(getattr(row, field), getattr(row, f"{field}_precision", "day"))

    column.__name__ = f"{field}_in_words"
    return column


def to_page(name, description=None):
    """Return a column that leads to the page of the record in the field `name`, or of the row itself for "self"."""

    @display(description=description or ("" if name == "self" else name.replace("_", " ")))
    def column(row):
        if row.pk is None:
            return ""
        return change_link(row, "Open") if name == "self" else change_link(getattr(row, name))

    return column


class LookingUp:
    """Foreign keys are looked up by typing, lists of texts are written line by line."""

    # Narrows what is offered for a foreign key: {"activities": {"kind": "activity"}}.
    offers_only = {}
    # What labels and columns read from other tables, fetched with the rows.
    follows = ()

    def get_queryset(self, request):
        queryset = super().get_queryset(request)
        return queryset.select_related(*self.follows) if self.follows else queryset

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        only = self.offers_only.get(db_field.name)
        kwargs.setdefault("widget", RecordSelect(db_field, self.admin_site, only))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        only = self.offers_only.get(db_field.name)
        kwargs.setdefault("widget", RecordSelectMultiple(db_field, self.admin_site, only))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, ArrayField | models.JSONField):
            longest = db_field.base_field.max_length if isinstance(db_field, ArrayField) else 200
            label, help_text = db_field.verbose_name.capitalize(), db_field.help_text
            return LinesField(longest=longest, label=label, help_text=help_text, required=not db_field.blank)
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        if isinstance(db_field, models.DateField):
            kwargs["error_messages"] = {"invalid": "Write the day as year, month and day, such as 2025-02-19."}
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class RecordAdmin(LookingUp, ModelAdmin):
    """A page per record, a list per table; both with a fixed number of queries."""

    form = RecordForm
    # The public key: typed or proposed once, then it never changes.
    key_name = None
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 4})}}
    # The API's collection in which the record is found under its key.
    collection = None
    # Parameters by which other pages may narrow what is offered for choosing, as {parameter: lookup}.
    narrowed_by = {}
    # The fields besides the key by whose nearness to the words a search ranks what it finds.
    ranked_by = ()

    list_per_page = 50
    list_max_show_all = 200
    list_filter_submit = True
    list_fullwidth = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False
    warn_unsaved_form = True
    compressed_fields = False

    def get_readonly_fields(self, request, obj=None):
        fixed = [self.key_name] if obj and self.key_name else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_inlines(self, request, obj):
        """Lists of what points to a record make sense once there is one."""
        return [inline for inline in super().get_inlines(request, obj) if obj or not issubclass(inline, PointingHere)]

    @display(description="In the API")
    def in_the_api(self, record):
        if not record.pk:
            return NOT_KNOWN
        path = f"/api/v1/{self.collection}/{getattr(record, self.key_name)}/"
        return format_html('<a href="{0}" class="text-link" target="_blank" rel="noopener">{0}</a>', path)

    def get_search_results(self, request, queryset, search_term):
        term = search_term.replace("\x00", "").strip()
        queryset = self.narrowed(request, queryset)
        found, may_repeat = super().get_search_results(request, queryset, term)
        names = [name for name in (self.key_name, *self.ranked_by) if name]
        if term and names and ORDER_VAR not in request.GET:
            found = found.order_by(closeness(names, term), *self.model._meta.ordering)
        return found, may_repeat

    def narrowed(self, request, queryset):
        if request.resolver_match.url_name != "autocomplete":
            return queryset
        asked = {lookup: request.GET[name] for name, lookup in self.narrowed_by.items() if name in request.GET}
        try:
            return queryset.filter(**asked)
        except ValueError:
            return queryset.none()

    def changelist_view(self, request, extra_context=None):
        if any("\x00" in value for values in request.GET.lists() for value in [values[0], *values[1]]):
            raise BadRequest("The address holds a NUL character.")
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Show the form once more when the database refuses what the form let pass, such as two editors at once."""
        answer = super().changeform_view
        try:
            return told_by(request, lambda: answer(request, object_id, form_url, extra_context))
        except IntegrityError as error:
            forget_messages(request)
            request.refusal = refusal_in_words(error)
            return answer(request, object_id, form_url, extra_context)

    def delete_view(self, request, object_id, extra_context=None):
        answer = super().delete_view
        return told_by(request, lambda: answer(request, object_id, extra_context))

    def response_action(self, request, queryset):
        answer = super().response_action
        return told_by(request, lambda: answer(request, queryset))

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def save_formset(self, request, form, formset, change):
        for row in formset.extra_forms:
            if hasattr(row.instance, "read_by") and not row.instance.read_by:
                row.instance.read_by = reader_name(request.user)
        super().save_formset(request, form, formset, change)

    def get_deleted_objects(self, objs, request):
        """Name a few of the records that stand in the way, instead of loading all of them."""
        obstacles = protecting(self.model, objs)
        return ([], {}, set(), obstacles) if obstacles else super().get_deleted_objects(objs, request)


def closeness(names, term):
    """Rank what is called just so before beginnings, and beginnings before what merely contains the term."""
    same = Q.create([(f"{name}__iexact", term) for name in names], connector=Q.OR)
    begins = Q.create([(f"{name}__istartswith", term) for name in names], connector=Q.OR)
    return Case(When(same, then=Value(0)), When(begins, then=Value(1)), default=Value(2))


def told_by(request, answer, tries=3):
    """Return what `answer()` does; the revisions of what the request changes say who made it.

    Of two editors who wait for each other the database lets one go on, and ends what the other did; that is done again.
    """
    if request.method != "POST":
        return answer()
    try:
        with change(actor=request.user.get_username(), kind=Change.Kind.UNSTATED):
            return answer()
    except OperationalError as error:
        if tries == 1 or not isinstance(error.__cause__, DeadlockDetected):
            raise
    forget_messages(request)
    return told_by(request, answer, tries - 1)


def forget_messages(request):
    """Leave unsaid what was to be told of changes that did not come about."""
    # Django takes no message back; to read them would take those of earlier pages, too.
    get_messages(request)._queued_messages.clear()


def reader_name(user):
    return (user.get_full_name() or user.get_username())[:100]


class _Rows(LookingUp):
    form = RecordForm
    formset = RowsFormSet
    extra = 0
    tab = True
    per_page = 30
    show_change_link = False
    hide_title = True
    show_count = True


class Rows(_Rows, TabularInline):
    """Short rows edited in place."""

    formfield_overrides = {models.TextField: {"widget": UnfoldAdminExpandableTextareaWidget}}


class Cards(_Rows, StackedInline):
    """Longer rows edited in place, a card each."""

    formfield_overrides = {models.TextField: {"widget": UnfoldAdminExpandableTextareaWidget}}
    hide_title = False


class PointingHere(_Rows, TabularInline):
    """What points to the record, read here and edited on pages of its own."""

    formset = RowsFormSet
    max_num = 0
    per_page = 20
    can_delete = False
    template_before = "regulations/admin/add_related.html"
    # Whether a row can be added on its own page, with the record filled in.
    can_begin = True

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    def has_add_permission(self, request, obj=None):
        self.may_begin = self.can_begin and super().has_add_permission(request, obj)
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def begin_url(self):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")


def add_url(model, **initial):
    return f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_add')}?{urlencode(initial)}"
