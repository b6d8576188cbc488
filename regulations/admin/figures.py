from django.contrib import admin
from unfold.decorators import display

from regulations.admin.base import BETWEEN, KIND, ONE_OF, RecordAdmin, dated
from regulations.admin.forms import RecordForm
from regulations.models import Figure
from regulations.models.figures import SUBJECTS


def subject_of(figure):
    return next((subject for name in SUBJECTS if (subject := getattr(figure, name))), None)


class FigureForm(RecordForm):
    key_name = "key"

    def key_parts(self):
        figure, subject = self.instance, subject_of(self.instance)
        about = (getattr(subject, "slug", None) or subject.code) if subject else figure.about
        return [about, figure.metric, figure.as_of and figure.as_of.year]


@admin.register(Figure)
class FigureAdmin(RecordAdmin):
    form = FigureForm
    key_name = "key"
    collection = "figures"
    list_display = ["subject", "metric", "number", dated("as_of", "as of"), "source"]
    list_display_links = ["metric"]
    list_filter = [
        ("company", ONE_OF),
        ("jurisdiction", ONE_OF),
        ("regulator", ONE_OF),
        ("organisation", ONE_OF),
        ("source", ONE_OF),
        ("comparison", KIND),
        ("as_of", BETWEEN),
    ]
    search_fields = ["key", "metric", "about", "company__name"]
    search_help_text = "Metric, company, what it is about, or key"
    follows = [*SUBJECTS, "according_to_company", "according_to_organisation", "source"]
    readonly_fields = ["in_the_api"]
    fieldsets = [
        (
            "About whom: one record, or words",
            {"fields": [("company", "jurisdiction"), ("regulator", "organisation"), "about"]},
        ),
        ("How much", {"fields": ["metric", ("comparison", "value", "unit"), ("as_of", "as_of_precision")]}),
        ("Evidence", {"fields": ["source", ("according_to_company", "according_to_organisation")]}),
        ("Address", {"fields": [("key", "in_the_api")]}),
    ]

    @display(description="about")
    def subject(self, figure):
        return subject_of(figure) or figure.about

    @display(description="number", ordering="value")
    def number(self, figure):
        exact = figure.comparison == Figure.Comparison.EXACTLY
        words = "" if exact else f"{figure.get_comparison_display().lower()} "
        return f"{words}{figure.value.normalize():,f} {figure.unit}"
