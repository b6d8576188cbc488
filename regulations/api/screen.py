"""Whether a web domain or a name stands on a warning list, or only resembles what does."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Count, F, Max, Q, TextField
from django.db.models.functions import Cast
from rest_framework import serializers

from kbase.reading import kept
from kbase.reading.fields import Code
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.values import LONGEST_TEXT, read_text
from kbase.reading.views import AnswerSerializer, Asked, Question, QuestionView
from regulations.api.records import BY_MODEL, RecordLineSerializer
from regulations.models import Company, EnforcementAction, Regulator, warned
from regulations.models.screening import Likeness, NotADomainError, domain_likeness, host_of, registered_domain

# More of one kind are no answer; whether there are more is told.
MOST = 50
# What an index finds is compared letter by letter, but not without end.
MOST_COMPARED = 2000
HAS_DOMAIN, HAS_NAME, HAS_COMPANY = (Q(**{f"{part}__isnull": False}) for part in ("domains", "names", "companies"))
CAVEAT = (
    "That a domain or name is not found here is no clearance: few authorities report, lists come late, and who was "
    "warned of uses another name tomorrow. It says only what the lists counted under coverage say."
)


class Ground(models.TextChoices):
    """Why a warning is about what is asked for."""

    HOST = "host", "The host is listed"
    BELOW = "below", "A host above it is listed"
    PAGE = "page", "A page of the host is listed"
    SAME_DOMAIN = "same_domain", "Another host of the same registered domain is listed"
    NAME = "name", "The name is listed"
    COMPANY = "company", "The company with this domain or name is warned of"


class Reason(models.TextChoices):
    """Why what is asked for resembles what it is not, the strongest first."""

    LETTERS = Likeness.LETTERS.value, Likeness.LETTERS.label
    SUFFIX = Likeness.SUFFIX.value, Likeness.SUFFIX.label
    EDITS = Likeness.EDITS.value, Likeness.EDITS.label
    NAME = "name", "A name much like it"


class ListedSerializer(serializers.Serializer):
    """What the warning says, as it is listed; empty parts are null."""

    domain = serializers.CharField(allow_null=True, help_text="The registered domain that is listed.")
    address = serializers.CharField(allow_null=True, help_text="The address as it is listed.")
    name = serializers.CharField(allow_null=True, help_text="The name that is listed.")


class WarningSerializer(serializers.Serializer):
    """A warning that stands on the day."""

    warning = RecordLineSerializer(help_text="The enforcement action.")
    authority = RecordLineSerializer(help_text="Who warns.")
    announced_on = serializers.DateField(allow_null=True, help_text="When it was made public; null if not established.")
    listed = ListedSerializer()
    company = RecordLineSerializer(allow_null=True, help_text="The company of ours that is warned of, if it is one.")


class ExactSerializer(WarningSerializer):
    """A warning about what is asked for."""

    reason = Code(Ground.choices, described_as="Ground", help_text="Why it is about this.")


class SimilarSerializer(WarningSerializer):
    """A warning about something else, which what is asked for resembles."""

    reason = Code(Reason.choices, described_as="Likeness", help_text="Why it resembles it.")
    explanation = serializers.CharField(help_text="The reason in words.")


class KnownCompanySerializer(serializers.Serializer):
    """A company of ours. That we know it is no permission: see its authorisations."""

    record = RecordLineSerializer(help_text="The company.")
    website = serializers.CharField(allow_null=True, help_text="Its website in our records.")


class ResembledSerializer(KnownCompanySerializer):
    """A company of ours whose domain this resembles and is not."""

    reason = Code(Reason.choices, described_as="Likeness", help_text="Why it resembles it.")
    explanation = serializers.CharField(help_text="The reason in words.")


class WarningsHeldSerializer(serializers.Serializer):
    """What we hold of the warnings of an authority, whatever the day."""

    authority = RecordLineSerializer()
    count = serializers.IntegerField(help_text="Warnings with domains, names or companies of ours.")
    domain_count = serializers.IntegerField(help_text="Those with web domains.")
    name_count = serializers.IntegerField(help_text="Those with names of who is no company of ours.")
    company_count = serializers.IntegerField(help_text="Those about companies of ours.")
    latest_on = serializers.DateField(allow_null=True, help_text="The day of the latest.")


class ScreenSerializer(AnswerSerializer):
    """What stands on warning lists about a domain or name."""

    domain = serializers.CharField(allow_null=True, help_text="The registered domain of the host that is asked for.")
    exact = ExactSerializer(many=True, help_text="Warnings about this domain or name, the newest first.")
    similar = SimilarSerializer(many=True, help_text="Warnings about others that it resembles, the likest first.")
    known_companies = KnownCompanySerializer(many=True, help_text="Companies of ours with this domain or name.")
    resembles = ResembledSerializer(many=True, help_text="Companies of ours whose domain it resembles, and is not.")
    is_complete = serializers.BooleanField(help_text=f"Whether no list was cut off at {MOST}.")
    coverage = WarningsHeldSerializer(many=True, help_text="How many warnings we hold, by authority.")
    caveat = serializers.CharField(help_text="What the answer is not.")


def _read_domain(parameter: str, text: str) -> str:
    """The host that is asked for."""
    try:
        registered_domain(read_text(parameter, text))
    except NotADomainError as reason:
        raise BadRequest([Fault(parameter, "malformed", f"{parameter}: {reason}")]) from None
    return host_of(text)


def _read_name(parameter: str, text: str) -> str:
    if not any(sign.isalnum() for sign in read_text(parameter, text)):
        raise BadRequest([Fault(parameter, "empty", f"{parameter} has no letters; say whom you look for.")])
    return text.strip()


class ScreenView(QuestionView):
    """Whether a web domain or a name stands on a warning list. Absence is no clearance.

    A domain is the one that is listed if both have one registered domain by the public suffix list; what only looks like a
    listed one stands apart, with the reason. Names are the same as in `/resolve/`.
    """

    name = "screen"
    parameters: ClassVar = {
        "domain": Asked(
            _read_domain,
            {"type": "string", "maxLength": LONGEST_TEXT},
            "A web domain, or the address of a page on it.",
        ),
        "name": Asked(_read_name, {"type": "string", "maxLength": LONGEST_TEXT}, "A name."),
    }
    answer_class = ScreenSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        host, name = question.values["domain"], question.values["name"]
        if not host and not name:
            raise BadRequest([Fault("domain", "empty", "Neither domain nor name is said; say one of them, or both.")])
        found = _Screening(question, host or "", name or "")
        lists = {
            "exact": found.exact(),
            "similar": found.similar(),
            "known_companies": [_company(each, question) for each in found.companies],
            "resembles": found.resembled(),
        }
        return {
            "domain": found.domain or None,
            **{title: rows[:MOST] for title, rows in lists.items()},
            "is_complete": all(len(rows) <= MOST for rows in lists.values()) and found.is_all_compared,
            "coverage": _coverage(question),
            "caveat": CAVEAT,
        }


class _Screening:
    """What is found of one question. Its queries are as many whatever is found."""

    def __init__(self, question: Question, host: str, name: str) -> None:
        self.question, self.on, self.host, self.name = question, question.on, host, name
        self.domain = registered_domain(host) if host else ""
        self.is_all_compared = True
        known = warned.companies_at(self.domain) if host else []
        called = warned.companies_called(name, MOST + 1) if name else []
        self.companies = list({each.pk: each for each in [*known, *called]}.values())

    def exact(self) -> list[dict[str, Any]]:
        """The warnings about the domain, the name, or a company of ours that has one of them."""
        found = []
        if self.host:
            for row in warned.listed_at(self.domain, self.on)[: MOST + 1]:
                found.append(self._warning(row.action, _ground(self.host, row.address), row.domain, row.address))
        if self.name:
            for named in warned.listed_as(self.name, self.on)[: MOST + 1]:
                found.append(self._warning(named.action, Ground.NAME, name=named.name))
        by_id = {each.pk: each for each in self.companies}
        for action in warned.warnings_of(list(by_id), self.on)[: MOST + 1]:
            company = by_id[action.company_id]
            found.append(self._warning(action, Ground.COMPANY, company=company))
        return found

    def similar(self) -> list[dict[str, Any]]:
        """The warnings about what the domain or name resembles, the likest first."""
        found = []
        if self.host:
            for like, row in self._alike(warned.listed_like(self.domain, self.on), lambda row: row.domain):
                shown = self._warning(row.action, Reason(like.value), row.domain, row.address)
                found.append(shown | {"explanation": _explained(self.domain, row.domain, like)})
        if self.name:
            for named in warned.listed_much_as(self.name, self.on)[: MOST + 1]:
                shown = self._warning(named.action, Reason.NAME, name=named.name)
                share = f"“{named.name}” shares {named.likeness:.0%} of its groups of three letters with “{self.name}”."
                found.append(shown | {"explanation": share})
        return found

    def resembled(self) -> list[dict[str, Any]]:
        """The companies of ours whose domain the domain resembles."""
        if not self.host:
            return []
        rows = warned.companies_like(self.domain)
        return [
            {
                **_company(company, self.question),
                "reason": _word(Reason(like.value)),
                "explanation": _explained(self.domain, warned.domain_of(company), like),
            }
            for like, company in self._alike(rows, warned.domain_of)
        ]

    def _alike(self, rows: Any, domain_of: Any) -> Iterator[tuple[Likeness, Any]]:
        compared = list(rows[:MOST_COMPARED])
        self.is_all_compared &= len(compared) < MOST_COMPARED
        named = ((domain_of(row), row) for row in compared)
        found = [(like, row) for other, row in named if other and (like := domain_likeness(self.domain, other))]
        order = list(Likeness)
        yield from sorted(found, key=lambda pair: order.index(pair[0]))

    def _warning(
        self,
        action: EnforcementAction,
        reason: Ground | Reason,
        domain: str = "",
        address: str = "",
        name: str = "",
        company: Company | None = None,
    ) -> dict[str, Any]:
        root = self.question.root
        return {
            "warning": BY_MODEL[EnforcementAction].answered(action.slug, action.title, root),
            "authority": BY_MODEL[Regulator].answered(action.regulator.slug, action.regulator.name, root),
            "announced_on": action.announced_on,
            "listed": {"domain": domain or None, "address": address or None, "name": name or None},
            "company": BY_MODEL[Company].answered(company.slug, company.name, root) if company else None,
            "reason": _word(reason),
        }


def _word(word: Ground | Reason) -> dict[str, str]:
    return {"code": word.value, "label": str(word.label)}


def _ground(host: str, address: str) -> Ground:
    """Why an address is about a host, both of one registered domain."""
    listed = host_of(address)
    if host == listed:
        has_path = urlsplit(address if "://" in address else f"//{address}").path.strip("/")
        return Ground.PAGE if has_path else Ground.HOST
    return Ground.BELOW if host.endswith(f".{listed}") else Ground.SAME_DOMAIN


def _explained(domain: str, other: str, like: Likeness) -> str:
    if like == Likeness.EDITS:
        return f"{domain} differs from {other} in a letter or two."
    if like == Likeness.SUFFIX:
        return f"{domain} is {other} under another suffix, look-alike letters being the same."
    return f"{domain} is written with letters that look like those of {other}."


def _company(company: Company, question: Question) -> dict[str, Any]:
    line = BY_MODEL[Company].answered(company.slug, company.name, question.root)
    return {"record": line, "website": company.website or None}


def _coverage(question: Question) -> list[dict[str, Any]]:
    return [
        {
            "authority": BY_MODEL[Regulator].answered(key, title, question.root),
            "count": count,
            "domain_count": with_domain,
            "name_count": with_name,
            "company_count": with_company,
            "latest_on": latest,
        }
        for key, title, count, with_domain, with_name, with_company, latest in kept.rows(_held(), {})
    ]


@cache
def _held() -> Statement:
    """What we hold by authority; kept until a warning changes, as all of them are read for it."""
    rows = EnforcementAction.objects.filter(kind=EnforcementAction.Kind.WARNING)
    rows = rows.filter(HAS_DOMAIN | HAS_NAME | HAS_COMPANY).order_by()
    counted = rows.values("regulator__slug", "regulator__name").annotate(
        count=Count("pk", distinct=True),
        domain_count=Count("pk", distinct=True, filter=HAS_DOMAIN),
        name_count=Count("pk", distinct=True, filter=HAS_NAME),
        company_count=Count("pk", distinct=True, filter=HAS_COMPANY),
        latest_on=Cast(Max("announced_on"), TextField()),
    )
    columns = (
        "regulator__slug",
        "regulator__name",
        "count",
        "domain_count",
        "name_count",
        "company_count",
        "latest_on",
    )
    return compile_statement(counted.order_by("-count", F("regulator__slug")).values_list(*columns))
