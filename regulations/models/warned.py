"""Which warnings stand against a web domain or a name, and which companies of ours have it or look like it."""

from collections.abc import Collection
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

import idna
from django.db import models
from django.db.models import F, FloatField, Func, Q, QuerySet, Value
from django.db.models.lookups import Contains, Exact

from regulations.models.companies import Company, CompanyName
from regulations.models.enforcement_actions import EnforcementAction, EnforcementDomain, EnforcementName
from regulations.models.identities import Folded, Host, Once, below
from regulations.models.screening import NotADomainError, most_edits, parts_of, pieces, registered_domain

# What is in the letters of another script stands so in DNS, whatever it looks like.
IN_OTHER_LETTERS = "xn--"
# Names that share less of their trigrams are alike by chance.
LEAST_LIKENESS = 0.5
# No index finds a part of a host that is shorter.
SHORTEST_PIECE = 3


class Alike(Func):
    """Texts that share as many trigrams as PostgreSQL asks for (pg_trgm.similarity_threshold), which LEAST_LIKENESS exceeds."""

    template, arg_joiner = "%(expressions)s", " %% "
    output_field = models.BooleanField()


def standing(on: date, path: str = "action__") -> Q:
    """The warnings that stand on the day: made public by then, so far as is known, and not ended."""
    return Q(
        Q(**{f"{path}announced_on": None}) | Q(**{f"{path}announced_on__lte": on}),
        Q(**{f"{path}concluded_on": None}) | Q(**{f"{path}concluded_on__gt": on}),
        **{f"{path}kind": EnforcementAction.Kind.WARNING},
    )


def listed_at(domain: str, on: date) -> QuerySet[EnforcementDomain]:
    """The addresses of this registered domain that are warned of, the newest warning first."""
    return _newest(EnforcementDomain.objects.filter(standing(on), domain=domain), "domain", "address")


def listed_like(domain: str, on: date) -> QuerySet[EnforcementDomain]:
    """The addresses among which are all that are warned of and whose domain looks like this one (`domain_likeness` tells).

    Those with most trigrams in common come first.
    """
    label, _ = parts_of(domain)
    found = Q(domain__startswith=f"{label}.") | Q(domain__startswith=IN_OTHER_LETTERS)
    for piece in _pieces(label):
        found |= Q(domain__contains=piece)
    rows = EnforcementDomain.objects.filter(standing(on), found).exclude(domain=domain)
    likeness = Func(F("domain"), Value(domain), function="similarity", output_field=FloatField())
    return rows.select_related("action__regulator").order_by(likeness.desc(), "domain", "action__slug", "address")


def listed_as(name: str, on: date) -> QuerySet[EnforcementName]:
    """The names that are this one, folded, and are warned of, the newest warning first."""
    return _newest(EnforcementName.objects.filter(standing(on), called(name)), "name")


def listed_much_as(name: str, on: date) -> QuerySet[EnforcementName]:
    """The names that are much like this one and are warned of, the likest first, with their `likeness` from 0 to 1."""
    asked = Once(Folded(Value(name)))
    rows = EnforcementName.objects.filter(standing(on), Q(Alike(Folded(F("name")), asked))).exclude(called(name))
    likeness = Func(Folded(F("name")), asked, function="similarity", output_field=FloatField())
    rows = rows.annotate(likeness=likeness).filter(likeness__gte=LEAST_LIKENESS)
    return rows.select_related("action__regulator").order_by("-likeness", "action__slug", "name")


def warnings_of(companies: Collection[int], on: date) -> QuerySet[EnforcementAction]:
    """The warnings about these companies of ours, each with the `company_id` that it is about, the newest first."""
    rows = EnforcementAction.objects.filter(standing(on, ""), companies__in=companies)
    rows = rows.annotate(company_id=F("companies")).select_related("regulator")
    return rows.order_by(F("announced_on").desc(nulls_last=True), "slug", "company_id")


def companies_at(domain: str) -> list[Company]:
    """The companies whose website is of this registered domain."""
    rows = Company.objects.filter(below("website", Value(domain)) | below("website", Value(_in_letters(domain))))
    return [company for company in rows.order_by("slug") if domain_of(company) == domain]


def companies_like(domain: str) -> QuerySet[Company]:
    """The companies among which are all whose domain looks like this one; none for labels too short for an index.

    Those with most trigrams in common come first.
    """
    label, _ = parts_of(domain)
    if len(label) < SHORTEST_PIECE:
        return Company.objects.none()
    parts = [f"{label}.", IN_OTHER_LETTERS, *_pieces(label)]
    has_one = reduce(or_, (Q(Contains(Host(F("website")), part)) for part in parts))
    likeness = Func(Value(label), Host(F("website")), function="strict_word_similarity", output_field=FloatField())
    return Company.objects.filter(has_one).order_by(likeness.desc(), "slug")


def companies_called(name: str, most: int) -> QuerySet[Company]:
    """The companies that have this name, folded, among theirs; so many at most."""
    own = Company.objects.filter(called(name)).order_by().values("pk")
    legal = Company.objects.filter(called(name, "legal_name")).order_by().values("pk")
    other = CompanyName.objects.filter(called(name)).order_by().values("company_id")
    # By their ids: PostgreSQL would look for each company among those of a subquery of several parts.
    ids = own.union(legal, other).order_by("pk").values_list("pk", flat=True)
    return Company.objects.filter(pk__in=list(ids[:most])).order_by("slug")


def called(name: str, field: str = "name") -> Q:
    """The rows whose name is this one, both folded, and is not empty then."""
    asked = Once(Folded(Value(name)))
    return Q(Exact(Folded(F(field)), asked)) & ~Q(Exact(asked, Value("")))


def domain_of(company: Company) -> str:
    """The registered domain of the company's website; empty if it has none."""
    try:
        return registered_domain(company.website) if company.website else ""
    except NotADomainError:
        return ""


def _pieces(label: str) -> list[str]:
    return pieces(label) if most_edits(label) else []


def _in_letters(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def _newest(rows: QuerySet[Any], *then: str) -> QuerySet[Any]:
    newest = F("action__announced_on").desc(nulls_last=True)
    return rows.select_related("action__regulator").order_by(newest, "action__slug", *then)
