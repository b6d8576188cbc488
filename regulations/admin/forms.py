"""The form behind every page: it proposes keys and places, and says the model's rules at the fields they are about."""

import re

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.models import InlineForeignKeyField, construct_instance
from django.utils.text import slugify
from unfold.forms import PaginationInlineFormSet

from regulations.admin.fields import LookedUp

LONGEST_KEY = 120


class RecordForm(forms.ModelForm):
    """Holds the whole of the model's `full_clean()`, also for rows inside another record's page.

    Django leaves constraints unasked that name a field which the form does not show; the database would then refuse
    the row with an error page.
    """

    # The field with the public key, proposed from `key_parts` where it is left empty.
    key_name = None
    # The fields whose rows are counted together by `position`.
    siblings = ()
    # What the database refused after the form had found nothing wrong.
    refusal = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.taken = set()
        for name, field in self.fields.items():
            widget = getattr(field.widget, "widget", field.widget)
            if isinstance(widget, LookedUp):
                widget.loaded = self.instance._state.fields_cache.get(name)
        for name in (self.key_name, "position" if self.siblings else None):
            if name in self.fields:
                self.fields[name].required = False

    def key_parts(self):
        """The words of which a key is proposed."""
        return [getattr(self.instance, "title", "") or self.instance.name]

    def clean(self):
        if self.refusal:
            raise ValidationError(self.refusal)
        return super().clean()

    def _post_clean(self):
        try:
            self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        except ValidationError as error:
            self._update_errors(error)
        if self.instance.pk and not self.has_changed():
            return
        if not self.errors:
            self.propose()
        self.validate_instance()

    def propose(self):
        if self.key_name and not getattr(self.instance, self.key_name):
            key = free_key(type(self.instance), self.key_name, self.key_parts(), self.taken)
            setattr(self.instance, self.key_name, key)
        if self.siblings and self.instance.position is None:
            self.instance.position = self.next_position()

    def next_position(self):
        family = tuple(getattr(self.instance, f"{name}_id") for name in self.siblings)
        siblings = type(self.instance)._default_manager.filter(**dict(zip(self.siblings, family, strict=True)))
        last = siblings.order_by("-position").values_list("position", flat=True).first() or 0
        position = max([last, *(place for other, place in self.taken if other == family)]) + 1
        self.taken.add((family, position))
        return position

    def validate_instance(self):
        parents = {name for name, field in self.fields.items() if isinstance(field, InlineForeignKeyField)}
        unsaved = {name for name in parents if self.fields[name].parent_instance.pk is None}
        failed = set(self._errors)
        unseen = {field.name for field in self.instance._meta.fields} - set(self.fields)
        proposed = {self.key_name, "position"} if self.errors else set()
        self.collect(self.instance.clean_fields, exclude=failed | unseen | parents | proposed)
        self.collect(self.instance.clean)
        self.collect(self.instance.validate_unique, exclude=failed | unsaved)
        self.collect(self.instance.validate_constraints, exclude=failed | unsaved)

    def collect(self, check, **options):
        try:
            check(**options)
        except ValidationError as error:
            self._update_errors(error)

    def _update_errors(self, errors):
        super()._update_errors(at_their_fields(errors, self.visible_names()))

    def visible_names(self):
        return {name for name, field in self.fields.items() if not field.widget.is_hidden}


class RowsFormSet(PaginationInlineFormSet):
    """Rows inside another record's page, which know what the rows beside them have proposed."""

    def __init__(self, *args, **kwargs):
        self.taken = set()
        super().__init__(*args, **kwargs)
        # As text, because unfold would count once more for a zero.
        self.count = str(self.paginator.count)

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.taken = self.taken


def at_their_fields(errors, names):
    """Move the messages that begin with a field's name ("valid_from: …") to that field, and write names as words."""
    placed = {}
    found = errors.error_dict if hasattr(errors, "error_dict") else {NON_FIELD_ERRORS: errors.error_list}
    for field, problems in found.items():
        for problem in problems:
            name, text = placed_message(field, problem, names)
            placed.setdefault(name, []).append(text)
    return ValidationError(placed)


def placed_message(field, problem, names):
    if field in names:
        return field, problem
    text = " ".join(problem.messages)
    prefix, _, rest = text.partition(": ")
    if prefix in names and rest:
        return prefix, ValidationError(in_words(rest), code=problem.code)
    if field != NON_FIELD_ERRORS:
        text = f"{field}: {text}"
    return NON_FIELD_ERRORS, ValidationError(in_words(text), code=problem.code)


def in_words(text):
    text = re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda name: f"“{name[0].replace('_', ' ')}”", text)
    return text[:1].upper() + text[1:]


def free_key(model, name, parts, taken):
    """Propose a key of the parts, with a number where others have it already; add it to `taken`."""
    stem = slugify("-".join(str(part) for part in parts if part).replace("_", "-"))[: LONGEST_KEY - 5].strip("-")
    used = set(model._default_manager.filter(**{f"{name}__startswith": stem}).values_list(name, flat=True)) | taken
    number, key = 1, stem
    while key in used:
        number += 1
        key = f"{stem}-{number}"
    taken.add(key)
    return key
