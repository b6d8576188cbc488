"""What the database refuses, in words that an editor can act on."""

from django.apps import apps
from django.db.models import PROTECT
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from regulations.admin.forms import in_words

EXAMPLES = 5


def refusal_in_words(error):
    """Say which rule an IntegrityError broke, by the constraint's own message where it has one."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for model in apps.get_app_config("regulations").get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                return in_words(f"{model._meta.verbose_name}: {constraint.get_violation_error_message()}")
    return (
        "This contradicts another record, perhaps one that somebody saved a moment ago. "
        "Nothing was saved: look at the other record, then save again."
    )


def protecting(model, records):
    """Return one line for each kind of record that keeps `records` from being deleted: how many, and a few of them."""
    lines = []
    for relation in model._meta.related_objects:
        if relation.on_delete is PROTECT:
            rows = relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": records})
            lines += obstacle(rows, relation.field.verbose_name)
    return lines


def obstacle(rows, role):
    count = rows.order_by().count()
    if not count:
        return []
    names = rows.model._meta.verbose_name if count == 1 else rows.model._meta.verbose_name_plural
    examples = [linked(row) for row in rows[:EXAMPLES]]
    more = f" and {count - len(examples)} more" if count > len(examples) else ""
    listed = format_html("{}" + ", {}" * (len(examples) - 1), *examples)
    return [format_html("{} {} ({}): {}{}", count, names, role, listed, more)]


def linked(row):
    try:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return str(row)
    return format_html('<a href="{}" class="text-link">{}</a>', url, row)
