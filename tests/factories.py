"""Rows for tests: each function makes a valid one, so that a test names only the facts that matter to it."""

from datetime import date
from itertools import count

from regulations import models

_numbers = count(1)


def make_jurisdiction(**facts):
    code = facts.setdefault("code", _code())
    return _made(models.Jurisdiction, facts, name=f"Place {code}", kind="country")


def make_membership(**facts):
    return _made(
        models.Membership, facts, member=make_jurisdiction, bloc=lambda: make_jurisdiction(kind="supranational")
    )


def make_topic(**facts):
    slug = facts.setdefault("slug", _slug("topic"))
    return _made(models.Topic, facts, name=slug.title(), kind="activity")


def make_regulator(**facts):
    slug = facts.setdefault("slug", _slug("regulator"))
    return _made(models.Regulator, facts, name=slug.title(), jurisdiction=make_jurisdiction, kind="integrated")


def make_organisation(**facts):
    slug = facts.setdefault("slug", _slug("organisation"))
    return _made(models.Organisation, facts, name=slug.title(), kind="publisher")


def make_source(**facts):
    slug = facts.setdefault("slug", _slug("source"))
    if not facts.keys() & {"publishing_regulator", "publishing_company"}:
        facts.setdefault("publisher", None) or facts.update(publisher=make_organisation())
    return _made(models.Source, facts, title=slug.title(), kind="news")


def make_source_relation(**facts):
    return _made(models.SourceRelation, facts, source=make_source, target=make_source, position=_position)


def make_mention(**facts):
    if len(facts.keys() - {"source", "position"}) == 0:
        facts["company"] = make_company()
    return _made(models.Mention, facts, source=make_source, position=_position)


def make_citation(**facts):
    """A citation of the record given under its foreign key's name; of a policy if none is."""
    if not facts.keys() & set(models.citations.CITABLE):
        facts["policy"] = make_policy()
    return _made(models.Citation, facts, source=make_source)


def make_policy(**facts):
    slug = facts.setdefault("slug", _slug("policy"))
    return _made(models.Policy, facts, title=slug.title(), kind="statute", jurisdiction=make_jurisdiction)


def make_policy_regulator(**facts):
    return _made(models.PolicyRegulator, facts, policy=make_policy, regulator=make_regulator, role="issuer")


def make_policy_relation(**facts):
    return _made(models.PolicyRelation, facts, policy=make_policy, target=make_policy, kind="amends")


def make_milestone(**facts):
    return _made(
        models.Milestone,
        facts,
        key=lambda: _slug("milestone"),
        policy=make_policy,
        kind="announced",
        date=date(2024, 1, 1),
    )


def make_provision(**facts):
    return _made(models.Provision, facts, policy=make_policy, position=_position, title="A part")


def make_company(**facts):
    slug = facts.setdefault("slug", _slug("company"))
    return _made(models.Company, facts, name=slug.title())


def make_company_name(**facts):
    return _made(models.CompanyName, facts, company=make_company, name=lambda: _slug("Name"))


def make_company_identifier(**facts):
    return _made(
        models.CompanyIdentifier,
        facts,
        company=make_company,
        scheme="tax",
        jurisdiction=make_jurisdiction,
        value=_number,
    )


def make_company_relation(**facts):
    return _made(models.CompanyRelation, facts, company=make_company, target=make_company, kind="partner")


def make_authorisation(**facts):
    return _made(
        models.Authorisation,
        facts,
        key=lambda: _slug("authorisation"),
        company=make_company,
        jurisdiction=make_jurisdiction,
        kind="licence",
    )


def make_enforcement_action(**facts):
    slug = facts.setdefault("slug", _slug("action"))
    return _made(
        models.EnforcementAction,
        facts,
        title=slug.title(),
        kind="fine",
        regulator=make_regulator,
        jurisdiction=make_jurisdiction,
    )


def make_enforcement_domain(**facts):
    domain = facts.setdefault("domain", f"{_slug('site')}.example")
    return _made(
        models.EnforcementDomain, facts, action=lambda: make_enforcement_action(kind="warning"), address=domain
    )


def make_enforcement_name(**facts):
    return _made(
        models.EnforcementName,
        facts,
        action=lambda: make_enforcement_action(kind="warning"),
        name=lambda: _slug("Name"),
    )


def make_measure(**facts):
    slug = facts.setdefault("slug", _slug("measure"))
    return _made(models.Measure, facts, title=slug.title(), company=make_company)


def make_measure_effect(**facts):
    return _made(models.MeasureEffect, facts, measure=make_measure, position=_position, who="All users")


def make_stance(**facts):
    return _made(
        models.Stance,
        facts,
        key=lambda: _slug("stance"),
        jurisdiction=make_jurisdiction,
        topic=make_topic,
        stance="permitted",
    )


def make_person(**facts):
    slug = facts.setdefault("slug", _slug("person"))
    return _made(models.Person, facts, name=slug.title())


def make_appointment(**facts):
    if not facts.keys() & {"regulator", "organisation", "company"}:
        facts["company"] = make_company()
    return _made(models.Appointment, facts, person=make_person, title="Chair")


def make_event(**facts):
    slug = facts.setdefault("slug", _slug("event"))
    return _made(models.Event, facts, name=slug.title(), kind="conference")


def make_event_step(**facts):
    return _made(models.EventStep, facts, event=make_event, kind="session", date=date(2024, 1, 1))


def make_event_organiser(**facts):
    if not facts.keys() & {"regulator", "organisation", "company"}:
        facts["company"] = make_company()
    return _made(models.EventOrganiser, facts, event=make_event)


def make_figure(**facts):
    if not facts.keys() & {*models.figures.SUBJECTS, "about"}:
        facts["company"] = make_company()
    return _made(
        models.Figure,
        facts,
        key=lambda: _slug("figure"),
        metric="users",
        value=100,
        unit="accounts",
        source=make_source,
    )


def _made(model, facts, **defaults):
    """Create a row of the facts, and of the defaults for what they leave open; a default may be a function."""
    missing = {name: value for name, value in defaults.items() if name not in facts}
    return model.objects.create(
        **facts, **{name: value() if callable(value) else value for name, value in missing.items()}
    )


def _number():
    return next(_numbers)


def _position():
    """A place in a list; as many as fit a small integer, which are more than a test makes."""
    return next(_numbers) % 30_000 + 1


def _slug(prefix):
    return f"{prefix}-{next(_numbers)}"


def _code():
    """A code in the form of ISO 3166-2, of a country that does not exist."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    number = next(_numbers)
    return f"XX-{digits[number // 1296 % 36]}{digits[number // 36 % 36]}{digits[number % 36]}"
