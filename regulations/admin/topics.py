from django.contrib import admin

from regulations.admin.base import KIND, RecordAdmin
from regulations.models import Topic


@admin.register(Topic)
class TopicAdmin(RecordAdmin):
    key_name = "slug"
    collection = "topics"
    narrowed_by = {"kind": "kind"}
    ranked_by = ["name"]
    list_display = ["name", "kind", "slug", "summary"]
    list_filter = [("kind", KIND)]
    search_fields = ["slug", "name"]
    search_help_text = "Name or key"
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (None, {"fields": [("name", "kind"), "summary"]}),
        ("Address", {"fields": [("slug", "in_the_api")]}),
    ]
