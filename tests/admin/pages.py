"""The admin's pages as the tests ask for them."""

import re
from html.parser import HTMLParser

from django.contrib import admin
from django.urls import reverse

from regulations.models import Disagreement, ImportCell, ImportRow, ImportRun, RegisterEntry, Revision, Ruling
from tests import factories

# Revisions are written by the database alone, and what registers say is read, not typed (test_imports).
NOT_TYPED = {Disagreement, ImportCell, ImportRow, ImportRun, RegisterEntry, Revision, Ruling}
MODELS = [model for model in admin.site._registry if model._meta.app_label == "regulations" and model not in NOT_TYPED]


def make(model, **facts):
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()
    return getattr(factories, f"make_{words}")(**facts)


def changelist(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def add_page(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def change_page(record):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


class _Form(HTMLParser):
    """Reads what a browser would send for a form as it stands, and how many options each select offers."""

    def __init__(self):
        super().__init__()
        self.values, self.offers = {}, {}
        self.select = self.textarea = None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        name = attributes.get("name")
        if tag == "input" and name and attributes.get("type") not in {"submit", "button", "file"}:
            if attributes.get("type") not in {"checkbox", "radio"} or "checked" in attributes:
                self.values[name] = attributes.get("value", "on" if attributes.get("type") == "checkbox" else "")
        elif tag == "select" and name:
            self.select = name
            self.offers[name] = []
            # A select without a choice sends its first option.
        elif tag == "option" and self.select:
            value = attributes.get("value", "")
            self.offers[self.select].append(value)
            if "selected" in attributes:
                self.values.setdefault(self.select, []).append(value)
        elif tag == "textarea" and name:
            self.textarea = name
            self.values[name] = ""

    def handle_endtag(self, tag):
        if tag == "select" and self.select:
            self.values.setdefault(self.select, self.offers[self.select][:1])
            self.select = None
        elif tag == "textarea":
            self.textarea = None

    def handle_data(self, data):
        if self.textarea:
            self.values[self.textarea] += data


def form_of(response):
    """Return what the page's form would send unchanged, without the templates of rows to be added."""
    return {
        name: value
        for name, value in _parsed(response).values.items()
        if "__prefix__" not in name and name not in {"q", "action"}
    }


def offers_of(response):
    """Return the options of each select on the page."""
    return _parsed(response).offers


def _parsed(response):
    form = _Form()
    form.feed(response.content.decode())
    return form


def errors_of(response):
    """Return the form's errors as {field: messages}; "" holds those of the whole record."""
    form = response.context["adminform"].form
    return {("" if name == "__all__" else name): list(messages) for name, messages in form.errors.items()}


def row_errors_of(response):
    """Return the errors of the rows inside the page, as a list of {field: messages}."""
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    return [
        {("" if name == "__all__" else name): list(messages) for name, messages in errors.items()}
        for formset in formsets
        for errors in formset.errors
        if errors
    ]
