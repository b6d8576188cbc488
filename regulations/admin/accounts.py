"""Who may log in, and what they may do."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from regulations.admin.base import LookingUp

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(Permission)
class PermissionAdmin(ModelAdmin):
    """Only there to be looked up on the pages of people and groups."""

    search_fields = ["name", "codename"]
    list_select_related = ["content_type"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("content_type")

    def has_module_permission(self, request):
        return False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(User)
class EditorAdmin(LookingUp, UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = []
    list_filter = ["is_staff", "is_superuser", "is_active"]


@admin.register(Group)
class EditorGroupAdmin(LookingUp, GroupAdmin, ModelAdmin):
    filter_horizontal = []
