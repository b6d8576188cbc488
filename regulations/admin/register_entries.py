"""What registers list, what people ruled about it, and where a register and an editor disagree."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from unfold.decorators import display

from regulations.admin.base import KIND, RecordAdmin, change_link
from regulations.admin.refusals import refusal_in_words
from regulations.admin.register_pages import (
    ReadPages,
    ReasonForm,
    RegisterFilter,
    cells_of,
    label_of,
    page_of,
    title_of,
    told,
)
from regulations.importers.records import RECORD_OF
from regulations.importers.registers import REGISTERS
from regulations.importers.settling import SettledError, record_of, said_now, settle
from regulations.models import Citation, Disagreement, RegisterEntry, Ruling
from regulations.models.citations import CITABLE

RECORDS = ["company", "authorisation", "source", "enforcement_action"]


class OfEntry(RegisterFilter):
    path = "entry__register"


@admin.register(RegisterEntry)
class RegisterEntryAdmin(ReadPages):
    """Written by imports, read here."""

    list_display = ["name", "register_title", "kind", "lei", "record", "firm"]
    list_filter = [RegisterFilter, ("kind", KIND)]
    search_fields = ["name", "=lei"]
    search_help_text = "The firm's name as the register writes it, or its LEI"
    readonly_fields = ["register_title", "said_last", "record", "firm"]
    fields = ["name", "lei", "register_title", "kind", "apart", "firm", "record", "said_last"]

    def get_queryset(self, request):
        follows = ["company", "authorisation__company", "authorisation__regulator", "authorisation__jurisdiction"]
        return super().get_queryset(request).select_related(*follows, "source", "enforcement_action")

    def has_change_permission(self, request, obj=None):
        return False

    @display(description="register", ordering="register")
    def register_title(self, entry):
        return title_of(entry.register)

    @display(description="our record")
    def record(self, entry):
        return change_link(getattr(entry, RECORD_OF[entry.kind]))

    @display(description="our company")
    def firm(self, entry):
        return change_link(entry.company)

    @display(description="what the register said last")
    def said_last(self, entry):
        said = [(kind, name, value) for kind, fields in entry.said.items() for name, value in sorted(fields.items())]
        return "; ".join(f"{label_of(kind, name)}: {told(kind, name, value)}" for kind, name, value in said)


@admin.register(Ruling)
class RulingAdmin(RecordAdmin):
    """Made where the question is asked; changed, or taken back, here."""

    list_display = ["about", "name", "column", "raw", "value", "company", "decided_by", "decided_at"]
    list_display_links = ["about", "name"]
    list_filter = [RegisterFilter, ("about", KIND)]
    search_fields = ["name", "raw", "value", "decided_by", "reason"]
    search_help_text = "The firm, the cell, who decided, or words of the reason"
    follows = ["company"]
    readonly_fields = ["about", "register", "name", "column", "raw", "decided_by", "decided_at"]
    fieldsets = [
        (None, {"fields": [("about", "register"), "name", ("column", "raw")]}),
        ("What is decided", {"fields": ["value", "company", "reason", ("decided_by", "decided_at")]}),
    ]

    def has_add_permission(self, request):
        return False

    def get_readonly_fields(self, request, obj=None):
        """A cell has a value, a firm a company."""
        other = "company" if obj and obj.about == Ruling.About.CELL else "value"
        return [*super().get_readonly_fields(request, obj), other]

    def save_model(self, request, obj, form, change):
        obj.decided_by = request.user.get_username()
        super().save_model(request, obj, form, change)


@admin.register(Disagreement)
class DisagreementAdmin(ReadPages):
    """Who may change a disagreement settles it; to take the register's value one must be allowed to change the record."""

    list_display = ["what", "firm", "register", "ours_told", "theirs_told", "outcome", "settled_by"]
    list_display_links = ["what"]
    list_filter = [OfEntry, ("outcome", KIND)]
    search_fields = ["entry__name", "field", "reason"]
    search_help_text = "The firm, the field, or words of the reason"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("entry")

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Disagreements", **(extra_context or {})})

    @display(description="what")
    def what(self, each):
        return f"{label_of(each.record, each.field)} ({each.get_record_display().lower()})"

    @display(description="firm", ordering="entry__name")
    def firm(self, each):
        return each.entry.name

    @display(description="register")
    def register(self, each):
        return title_of(each.entry.register)

    @display(description="we say")
    def ours_told(self, each):
        return told(each.record, each.field, each.ours)

    @display(description="the register says")
    def theirs_told(self, each):
        return told(each.record, each.field, each.theirs)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Ours and theirs side by side, each with its evidence."""
        each = self.asked(request, object_id)
        record = record_of(each)
        form = None
        if not each.outcome and self.has_change_permission(request) and each.entry.register in REGISTERS:
            form = ReasonForm(request.POST or None)
        if request.method == "POST" and (form is None or form.is_valid()):
            if form is None:
                messages.error(request, "This is settled already.")
                return HttpResponseRedirect(page_of(each))
            if answer := self.settled(request, each, record, form):
                return answer
        return self.page(
            request,
            "disagreement",
            f"{label_of(each.record, each.field)}: {each.entry.name}",
            each=each,
            record=record and change_link(record),
            register=title_of(each.entry.register),
            now=told(each.record, each.field, said_now(each)),
            then=told(each.record, each.field, each.ours),
            theirs=told(each.record, each.field, each.theirs),
            citations=citations_of(each, record),
            cells=cells_of(each.row) if each.row else [],
            form=form,
            may_take=record and self.may_take(request, record),
        )

    def settled(self, request, each, record, form):
        outcome = request.POST.get("outcome")
        if outcome not in Disagreement.Outcome.values:
            return form.refuse("Choose whether ours stays or theirs is taken over.")
        if outcome == Disagreement.Outcome.THEIRS and record and not self.may_take(request, record):
            raise PermissionDenied
        who, why = request.user.get_username(), form.cleaned_data["reason"]
        try:
            done = settle(REGISTERS[each.entry.register], each.pk, Disagreement.Outcome(outcome), who, why)
        except (SettledError, ValidationError) as error:
            return form.refuse(error)
        except IntegrityError as error:
            return form.refuse(refusal_in_words(error))
        self.log_change(request, done, done.get_outcome_display())
        messages.success(request, f"Settled: {done.get_outcome_display()}.")
        return HttpResponseRedirect(page_of(done))

    def may_take(self, request, record):
        return request.user.has_perm(f"regulations.change_{record._meta.model_name}")

    def asked(self, request, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        follows = [*(f"entry__{record}" for record in RECORDS), "row__run__extract"]
        try:
            found = Disagreement.objects.select_related(*follows).defer("row__run__extract__content")
            return found.get(pk=object_id)
        except (Disagreement.DoesNotExist, ValueError) as error:
            raise Http404("There is no such disagreement.") from error


def citations_of(each, record):
    """On what our value rests: citations of this field, and those of the whole record."""
    if record is None or each.record not in CITABLE:
        return Citation.objects.none()
    about = Q(fields__contains=[each.field]) | Q(fields=[])
    return Citation.objects.filter(about, **{each.record: record}).select_related("source")
