from django.contrib import admin

from regulations.admin.base import BETWEEN, KIND, ONE_OF, RecordAdmin, dated
from regulations.admin.citations import CitationInline, CitedRows
from regulations.admin.forms import RecordForm
from regulations.models import Milestone


class MilestoneForm(RecordForm):
    key_name = "key"

    def key_parts(self):
        return [self.instance.policy.slug, self.instance.kind]


class MilestoneInline(CitedRows):
    model = Milestone
    form = MilestoneForm
    fields = ["date", "date_precision", "kind", "note", "evidence"]
    verbose_name_plural = "timeline"


@admin.register(Milestone)
class MilestoneAdmin(RecordAdmin):
    form = MilestoneForm
    key_name = "key"
    collection = "milestones"
    list_display = [dated("date"), "kind", "policy", "note"]
    list_filter = [("kind", KIND), ("policy__jurisdiction", ONE_OF), ("date", BETWEEN)]
    search_fields = ["key", "policy__title", "policy__abbreviation", "note"]
    search_help_text = "Policy, note or key"
    follows = ["policy"]
    ordering = ["-date", "key"]
    inlines = [CitationInline]
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": ["policy", ("kind", "date", "date_precision"), "note"]}),
        ("Address", {"fields": [("key", "in_the_api")]}),
    ]
