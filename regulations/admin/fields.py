"""Form fields and widgets: lists written line by line, and choices that are looked up instead of loaded."""

from urllib.parse import urlencode

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget


class LinesWidget(UnfoldAdminTextareaWidget):
    def format_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value


class LinesField(forms.CharField):
    """A list of short texts, one a line; blank lines do not count."""

    widget = LinesWidget

    def __init__(self, *, longest=200, **options):
        self.longest = longest
        options.setdefault("widget", LinesWidget({"rows": 3}))
        options["help_text"] = f"{options.get('help_text', '')} One item a line.".strip()
        super().__init__(**options)

    def clean(self, value):
        return self.lines(super().clean(value))

    def lines(self, value):
        lines = [line.strip() for line in value.splitlines() if line.strip()]
        for number, line in enumerate(lines, 1):
            if len(line) > self.longest:
                raise ValidationError(f"Line {number} has {len(line)} characters; {self.longest} are the most.")
        return lines

    def has_changed(self, initial, data):
        return list(initial or []) != [line.strip() for line in (data or "").splitlines() if line.strip()]


class LookedUp:
    """A choice among the records of a table that is never loaded: typing asks for the nearest."""

    # Narrows what is offered; the other model's admin names what it understands in `narrowed_by`.
    only: dict
    # The record that is chosen already, where its label costs no query.
    loaded = None

    def __init__(self, field, admin_site, only=None, **options):
        super().__init__(field, admin_site, **options)
        self.only = only or {}

    def get_url(self):
        return f"{super().get_url()}?{urlencode(self.only)}" if self.only else super().get_url()

    def optgroups(self, name, value, attr=None):
        if self.loaded is None or [str(chosen) for chosen in value] != [str(self.loaded.pk)]:
            return super().optgroups(name, value, attr)
        nothing = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        chosen = self.create_option(name, self.loaded.pk, str(self.loaded), True, len(nothing))
        return [(None, [*nothing, chosen], 0)]


class RecordSelect(LookedUp, AutocompleteSelect):
    pass


class RecordSelectMultiple(LookedUp, AutocompleteSelectMultiple):
    pass
