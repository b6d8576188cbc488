from django.contrib import admin
from unfold.admin import ModelAdmin

from regulations.admin.base import KIND
from regulations.models import Revision


@admin.register(Revision)
class RevisionAdmin(ModelAdmin):
    """What changed, when and by whom: written by the database, read here."""

    list_display = ("moment", "actor", "kind", "table", "row_id", "reason")
    list_filter = (("change__kind", KIND),)
    list_select_related = ("change",)
    list_filter_submit = True
    search_fields = ("=table", "=change__actor", "change__reason")
    search_help_text = "A table such as regulations_policy, an editor's name, or words of the reason."
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="When", ordering="change__moment")
    def moment(self, revision):
        return revision.change.moment

    @admin.display(description="Who", ordering="change__actor")
    def actor(self, revision):
        return revision.change.actor

    @admin.display(description="Kind", ordering="change__kind")
    def kind(self, revision):
        return revision.change.get_kind_display()

    @admin.display(description="Why")
    def reason(self, revision):
        return revision.change.reason
