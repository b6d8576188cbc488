"""The contents of the admin, by theme, in the words of those who work with it."""

from django.urls import reverse

from regulations.models import (
    Appointment,
    Authorisation,
    Citation,
    Company,
    CompanyRelation,
    EnforcementAction,
    Event,
    Figure,
    Jurisdiction,
    Measure,
    Membership,
    Milestone,
    Organisation,
    Person,
    Policy,
    PolicyRelation,
    Provision,
    Regulator,
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
    "Evidence and words": [
        (Source, "article"),
        (Citation, "format_quote"),
        (Topic, "sell"),
    ],
}


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
        "title": str(model._meta.verbose_name_plural).capitalize(),
        "icon": icon,
        "link": reverse(f"admin:regulations_{name}_changelist"),
        "permission": lambda request: may_see(request.user, "regulations", name),
    }


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
    """Group the front page by the same themes as the sidebar."""
    known = {entry["model"]: entry for app in context["app_list"] for entry in app["models"]}
    grouped = []
    for theme, entries in THEMES.items():
        shown = [known.pop(model) for model, _ in entries if model in known]
        if shown:
            grouped.append({"name": theme, "app_label": "regulations", "app_url": "#", "models": shown})
    if known:
        grouped.append({"name": "Editors", "app_label": "auth", "app_url": "#", "models": list(known.values())})
    return {**context, "app_list": grouped}
