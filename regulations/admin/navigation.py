"""The contents of the admin, by theme, in the words of those who work with it."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from regulations.admin.base import change_link, in_words
from regulations.admin.import_rows import quarantined_cells, waiting_rows
from regulations.models import (
    Appointment,
    Authorisation,
    Citation,
    Company,
    CompanyRelation,
    Disagreement,
    EnforcementAction,
    Event,
    Figure,
    ImportCell,
    ImportRow,
    ImportRun,
    Jurisdiction,
    Measure,
    Membership,
    Milestone,
    Organisation,
    Person,
    Policy,
    PolicyRelation,
    Provision,
    RegisterEntry,
    Regulator,
    Revision,
    Ruling,
    Source,
    Stance,
    Topic,
)

# Each theme with its kinds of record and the icon of each; the icons come from our own host with django-unfold.
THEMES = {
    "The law": [
        (Policy, "gavel"),
        (Milestone, "timeline"),
        (Provision, "segment"),
        (PolicyRelation, "account_tree"),
        (Stance, "traffic"),
    ],
    "Who makes it, and where": [
        (Jurisdiction, "public"),
        (Membership, "join"),
        (Regulator, "account_balance"),
        (Organisation, "groups"),
    ],
    "The market": [
        (Company, "apartment"),
        (CompanyRelation, "hub"),
        (Authorisation, "verified"),
        (EnforcementAction, "policy"),
        (Measure, "rule"),
        (Figure, "monitoring"),
    ],
    "People and events": [
        (Person, "person"),
        (Appointment, "badge"),
        (Event, "event"),
    ],
    "Registers": [
        (ImportRun, "upload_file"),
        (ImportRow, "person_search"),
        (ImportCell, "healing"),
        (Disagreement, "balance"),
        (Ruling, "stylus"),
        (RegisterEntry, "list_alt"),
    ],
    "Evidence and words": [
        (Source, "article"),
        (Citation, "format_quote"),
        (Topic, "sell"),
        (Revision, "history"),
    ],
}

# What the queues are called, where that is not the name of their rows.
TITLES = {ImportRun: "Imports", ImportRow: "Who is it?", ImportCell: "Quarantine"}
WORDS = {
    ImportRow: "Rows of registers of which a person has to say whose they are.",
    ImportCell: "Cells of registers that no rule could read.",
}
# How much waits for a person.
WAITING = {
    ImportRow: lambda: waiting_rows().count(),
    ImportCell: lambda: quarantined_cells().filter(has_ruling=False).count(),
    Disagreement: lambda: Disagreement.objects.filter(outcome="").count(),
}

admin.site.index_template = "regulations/admin/index.html"


def sidebar(request):
    """Return the sidebar's themes for unfold; what a person may not see is left out."""
    themes = [{"title": theme, "items": [item(*entry) for entry in entries]} for theme, entries in THEMES.items()]
    themes.append(
        {
            "title": "Editors",
            "separator": True,
            "items": [account("user", "manage_accounts"), account("group", "group")],
        }
    )
    return themes


def item(model, icon):
    name = model._meta.model_name
    return {
        "title": title(model),
        "icon": icon,
        "link": reverse(f"admin:regulations_{name}_changelist"),
        "permission": lambda request: may_see(request.user, "regulations", name),
    }


def title(model):
    return TITLES.get(model) or str(model._meta.verbose_name_plural).capitalize()


def account(name, icon):
    return {
        "title": f"{name.capitalize()}s",
        "icon": icon,
        "link": reverse(f"admin:auth_{name}_changelist"),
        "permission": lambda request: may_see(request.user, "auth", name),
    }


def may_see(user, app, name):
    return user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}")


def index(request, context):
    """Group the front page by the same themes as the sidebar, and say what is coming up."""
    entries = {entry["model"]: entry for app in context["app_list"] for entry in app["models"]}
    themes = [
        {"name": theme, "cards": [card(entries[model], icon) for model, icon in kinds if model in entries]}
        for theme, kinds in THEMES.items()
    ]
    coming = coming_up(timezone.localdate()) if Milestone in entries else []
    return {
        **context,
        "title": "What we know",
        "themes": [theme for theme in themes if theme["cards"]],
        "coming": coming,
    }


def card(entry, icon):
    model = entry["model"]
    words = f"{WORDS.get(model) or model.__doc__}".replace("`", "").strip().partition("\n")[0]
    waiting = WAITING[model]() if model in WAITING else 0
    return {**entry, "name": title(model), "icon": icon, "words": words, "waiting": waiting}


def coming_up(today):
    """Return the next steps in the lives of policies, soonest first."""
    steps = Milestone.objects.filter(date__gt=today).select_related("policy").order_by("date", "key")
    return [
        {"link": change_link(step.policy), "day": in_words(step.date, step.date_precision), "step": step}
        for step in steps[:8]
    ]
