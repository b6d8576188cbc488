"""Imports: a file is brought, read, shown whole, and published or not."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path
from django.utils.http import content_disposition_header
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from regulations.admin.base import in_words
from regulations.admin.import_sections import section_of, sections_of, sums_of
from regulations.admin.refusals import refusal_in_words
from regulations.admin.register_pages import ReadPages, ReasonForm, RegisterFilter, page_of, title_of
from regulations.importers.files import RefusedFileError, day_in
from regulations.importers.registers import REGISTERS
from regulations.importers.runs import HeldError, OutdatedError, preview, publish
from regulations.models import ImportChange, ImportRow, ImportRun

# Larger files are imported by command; one this large has some 40,000 rows.
MOST_UPLOADED = 16 * 2**20
PUBLISHED = "Published."
NOTHING_READ = Q(holds__contains=[{"is_releasable": False}])
STATES = {
    "published": ("Published", Q(published_at__isnull=False)),
    "nothing": ("Nothing read", Q(published_at__isnull=True) & NOTHING_READ),
    "held": ("Held", Q(published_at__isnull=True) & ~Q(holds=[]) & ~NOTHING_READ),
    "ready": ("To be published", Q(published_at__isnull=True, holds=[])),
}


class OfRegister(RegisterFilter):
    path = "extract__register"


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [(name, words) for name, (words, _) in STATES.items()]

    def queryset(self, request, queryset):
        return queryset.filter(STATES[self.value()][1]) if self.value() in STATES else queryset


class ImportForm(forms.Form):
    register = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget, help_text="The CSV file as the register published it, at most 16 MiB."
    )
    on = forms.DateField(
        label="Day",
        required=False,
        widget=UnfoldAdminTextInputWidget({"placeholder": "2026-02-09", "autocomplete": "off"}),
        help_text="The day whose state of the register the file tells. Leave it empty if the file's name tells it.",
        error_messages={"invalid": "Write the day as year, month and day, such as 2026-02-09."},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["register"].choices = [(key, register.title) for key, register in REGISTERS.items()]

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MOST_UPLOADED:
            raise ValidationError(
                f"The file has {file.size / 2**20:,.0f} MiB; here at most {MOST_UPLOADED // 2**20} are taken."
            )
        return file

    def clean(self):
        said = super().clean()
        if "file" in said and "on" in said and not said["on"]:
            said["on"] = day_in(said["file"].name)
            if not said["on"]:
                self.add_error("on", "The file's name tells no day: say of which day the extract is.")
        return said


def state_of(run):
    """Where a run stands, in words."""
    if run.published_at:
        return "Published"
    if not run.holds:
        return "To be published"
    return "Held" if is_releasable(run) else "Nothing read"


def is_releasable(run):
    return all(hold["is_releasable"] for hold in run.holds)


@admin.register(ImportRun)
class ImportRunAdmin(ReadPages):
    """Who may add a run imports files and reads them again; who may change one publishes it."""

    list_display = ["register", "day", "state", "rows", "quarantined", "waiting", "changes", "read"]
    list_filter = [OfRegister, StateFilter]
    search_fields = ["=extract__sha256", "extract__file_name", "made_by"]
    search_help_text = "The file's name or hash, or who had it read"

    def get_queryset(self, request):
        waiting = ImportRow.objects.filter(run=OuterRef("pk"), state=ImportRow.State.WAITING)
        counts = {
            "waiting_count": _count(waiting),
            "change_count": _count(ImportChange.objects.filter(run=OuterRef("pk"))),
        }
        runs = super().get_queryset(request).select_related("extract").defer("extract__content")
        return runs.annotate(**counts)

    def get_urls(self):
        own = {"publish": self.publish_view, "again": self.again_view, "file": self.file_view}
        return [
            *(
                path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"regulations_importrun_{name}")
                for name, view in own.items()
            ),
            *super().get_urls(),
        ]

    def has_add_permission(self, request):
        return request.user.has_perm("regulations.add_importrun")

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Imports", **(extra_context or {})})

    @display(description="register", ordering="extract__register")
    def register(self, run):
        return title_of(run.extract.register)

    @display(description="day", ordering="extract__on")
    def day(self, run):
        return in_words(run.extract.on)

    @display(description="state")
    def state(self, run):
        return state_of(run)

    @display(description="rows", ordering="row_count")
    def rows(self, run):
        return run.row_count

    @display(description="cells put aside", ordering="quarantined_count")
    def quarantined(self, run):
        return run.quarantined_count

    @display(description="rows that wait")
    def waiting(self, run):
        return run.waiting_count

    @display(description="changes")
    def changes(self, run):
        return run.change_count

    @display(description="read", ordering="made_at")
    def read(self, run):
        return f"{in_words(run.made_at.date())} by {run.made_by}"

    def add_view(self, request, form_url="", extra_context=None):
        """Import a file: what it says is shown on the run's page, and nothing of it is published."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            facts = (said["register"], said["file"].read(), said["file"].name, said["on"])
            if answer := self.read_file(request, *facts, refuse=lambda words: form.add_error("file", words)):
                return answer
        return self.page(request, "file", "Import a file", form=form, most_bytes=MOST_UPLOADED)

    def again_view(self, request, pk):
        """Read the same file once more, by the rulings and records of today."""
        run = self.run(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_add_permission(request):
            raise PermissionDenied
        extract = run.extract
        facts = (extract.register, bytes(extract.content), extract.file_name, extract.on)
        answer = self.read_file(request, *facts, refuse=lambda words: messages.error(request, words))
        return answer or HttpResponseRedirect(page_of(run))

    def read_file(self, request, register, content, name, on, refuse):
        """Read a file and lead to its run; if it is refused, say so and return nothing."""
        if register not in REGISTERS:
            return refuse(f"There is no importer for {register} any more.")
        try:
            run = preview(REGISTERS[register], content, name, on, request.user.get_username())
        except DatabaseError:
            return refuse(
                "The file could not be read now, perhaps as another run is under way. Try it again in a moment."
            )
        except (RefusedFileError, ValueError) as error:
            return refuse(str(error))
        if run:
            return HttpResponseRedirect(page_of(run))
        messages.info(request, "This extract is published already, and nothing would change.")
        last = ImportRun.objects.filter(extract__register=register, extract__on=on, published_at__isnull=False).first()
        return HttpResponseRedirect(page_of(last))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The run whole: what holds it, where all cells went, what waits for a person, what would change."""
        run = self.run(request, object_id)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        sections = sections_of(run)
        current = section_of(request, run, sections)
        return self.page(
            request,
            "run",
            f"{title_of(run.extract.register)}, {in_words(run.extract.on)}",
            run=run,
            state=state_of(run),
            sections=sections,
            current=current,
            sums=sums_of(sections),
            may_publish=self.may_publish(request, run),
            may_read=self.has_add_permission(request) and run.extract.register in REGISTERS,
            may_rule=request.user.has_perm("regulations.add_ruling"),
            newer=run.extract.runs.filter(pk__gt=run.pk).first(),
        )

    def may_publish(self, request, run):
        is_open = not run.published_at and is_releasable(run) and run.extract.register in REGISTERS
        return is_open and request.user.has_perm("regulations.change_importrun")

    def publish_view(self, request, pk):
        """Ask once more, saying how much it is, and publish."""
        run = self.run(request, pk)
        if not request.user.has_perm("regulations.change_importrun"):
            raise PermissionDenied
        if not self.may_publish(request, run):
            messages.error(request, "This run cannot be published.")
            return HttpResponseRedirect(page_of(run))
        form = ReasonForm(request.POST or None) if run.holds else None
        if request.method == "POST" and (form is None or form.is_valid()):
            self.publish(request, run, form.cleaned_data["reason"] if form else "")
            return HttpResponseRedirect(page_of(run))
        return self.page(
            request, "publish", f"Publish {run.extract}", run=run, form=form, sums=sums_of(sections_of(run))
        )

    def publish(self, request, run, reason):
        try:
            publish(REGISTERS[run.extract.register], run.pk, request.user.get_username(), reason)
        except (HeldError, OutdatedError) as error:
            messages.error(request, str(error))
        except ValidationError as error:
            messages.error(request, f"Nothing was published. {' '.join(error.messages)}")
        except DatabaseError as error:
            messages.error(request, f"Nothing was published. {_refusal(error)}")
        else:
            self.log_change(request, run, PUBLISHED)
            messages.success(request, f"Published {run.extract}: {sums_of(sections_of(run))}.")

    def file_view(self, request, pk):
        """The file as it came: to be kept, never to be rendered."""
        extract = self.run(request, pk).extract
        return HttpResponse(
            bytes(extract.content),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": content_disposition_header(True, f"{extract.register}-{extract.on}.csv"),
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    def run(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404("There is no such run.")
        return run


def _count(rows):
    counted = rows.order_by().values("run").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def _refusal(error):
    if isinstance(error, IntegrityError):
        return refusal_in_words(error)
    return "The database did not take it, perhaps as another run is under way. Try it again in a moment."
