from django.contrib import admin
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Coalesce, Concat, LPad
from unfold.decorators import display

from regulations.admin.base import ONE_OF, RecordAdmin
from regulations.admin.citations import CitationInline, CitedRows
from regulations.admin.forms import RecordForm
from regulations.models import Provision
from regulations.models.provisions import DEEPEST


def tree_path():
    """Return the places from the top down to a part, as text that sorts in the order of reading."""
    steps = ["__".join([*["parent"] * depth, "position"]) for depth in reversed(range(DEEPEST))]
    return Concat(*(Coalesce(LPad(Cast(step, CharField()), 6, Value("0")), Value("")) for step in steps))


class ProvisionForm(RecordForm):
    siblings = ["policy", "parent"]


class ProvisionInline(CitedRows):
    model = Provision
    form = ProvisionForm
    fields = ["parent", "position", "label", "title", "summary", "evidence"]
    follows = ["parent"]
    verbose_name = "part"
    verbose_name_plural = "parts"

    def get_queryset(self, request):
        return super().get_queryset(request).order_by(tree_path())

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        offer_parts_of(obj, formset.form)
        make_room(formset.form.base_fields)
        return formset


def make_room(fields):
    """Share a row's width as its contents need it."""
    if "parent" in fields:
        fields["parent"].widget = fields["parent"].widget.widget
    for name, width in {"position": "5rem", "label": "5rem", "title": "15rem", "summary": "14rem"}.items():
        if name in fields:
            fields[name].widget.attrs["style"] = f"min-width: {width}"


def offer_parts_of(policy, form):
    """Offer as the part above only parts of the same policy."""
    if "parent" in form.base_fields:
        form.base_fields["parent"].widget.widget.only = {"policy": policy.pk if policy and policy.pk else 0}


@admin.register(Provision)
class ProvisionAdmin(RecordAdmin):
    form = ProvisionForm
    narrowed_by = {"policy": "policy_id"}
    ranked_by = ["label", "title"]
    list_display = ["policy", "above", "position", "label", "title"]
    list_display_links = ["title"]
    list_filter = [("policy", ONE_OF), ("policy__jurisdiction", ONE_OF)]
    search_fields = ["label", "title", "policy__slug", "policy__abbreviation"]
    search_help_text = "Label, heading, or the policy's abbreviation"
    follows = ["policy", "parent"]
    inlines = [CitationInline]
    fieldsets = [
        (None, {"fields": ["policy", ("parent", "position"), ("label", "title"), "summary", "aims"]}),
    ]

    @display(description="belongs to")
    def above(self, provision):
        return provision.parent or ""

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        if obj:
            offer_parts_of(obj.policy, form)
        return form
