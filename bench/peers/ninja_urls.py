"""Policies by django-ninja: schemas over model instances, related rows fetched in advance, filters resolved to ids."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.urls import path
from django.utils import timezone
from ninja import NinjaAPI, Schema
from ninja.renderers import BaseRenderer

from bench.baseline.policies import REGULATORS
from kbase.health import healthz
from regulations.models import Jurisdiction, Policy, PolicyRegulator, PolicyStatus, Topic

ROOT = "http://localhost:8000/api/v1"
PAGE_SIZE = 50


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: Any, data: Any, *, response_status: int) -> bytes:
        import orjson

        return orjson.dumps(data)


api = NinjaAPI(urls_namespace="bench", renderer=OrjsonRenderer(), openapi_url=None)


class Code(Schema):
    code: str
    label: str


class Ref(Schema):
    slug: str
    name: str
    url: str


class JurisdictionRef(Schema):
    code: str
    name: str
    url: str


class Body(Ref):
    role: Code


class PolicyOut(Schema):
    slug: str
    title: str
    abbreviation: str | None
    kind: Code
    status: Code
    jurisdiction: JurisdictionRef
    regulators: list[Body]
    topics: list[Ref]
    reference: str | None
    official_url: str | None
    introduced_on: date | None
    effective_from: date | None
    effective_until: date | None
    summary: str | None
    url: str

    @staticmethod
    def resolve_abbreviation(policy: Policy) -> str | None:
        return policy.abbreviation or None

    @staticmethod
    def resolve_reference(policy: Policy) -> str | None:
        return policy.reference or None

    @staticmethod
    def resolve_official_url(policy: Policy) -> str | None:
        return policy.official_url or None

    @staticmethod
    def resolve_summary(policy: Policy) -> str | None:
        return policy.summary or None

    @staticmethod
    def resolve_kind(policy: Policy) -> dict[str, str]:
        return _code(policy.kind, Policy.Kind)

    @staticmethod
    def resolve_status(policy: Any) -> dict[str, str]:
        return _code(policy.status, PolicyStatus)

    @staticmethod
    def resolve_jurisdiction(policy: Policy) -> dict[str, str]:
        place = policy.jurisdiction
        return {"code": place.code, "name": place.name, "url": f"{ROOT}/jurisdictions/{place.code}/"}

    @staticmethod
    def resolve_regulators(policy: Any) -> list[dict[str, Any]]:
        return [
            _ref("regulators", link.regulator) | {"role": _code(link.role, PolicyRegulator.Role)}
            for link in policy.policy_regulators.all()
        ]

    @staticmethod
    def resolve_topics(policy: Policy) -> list[dict[str, Any]]:
        return [_ref("topics", topic) for topic in policy.topics.all()]

    @staticmethod
    def resolve_url(policy: Policy) -> str:
        return f"{ROOT}/policies/{policy.slug}/"


class Page(Schema):
    count: int
    next: str | None
    previous: str | None
    on: date
    known_at: None
    results: list[PolicyOut]


@api.get("/policies/", response=Page)
def policies(
    request: Any,
    jurisdiction: str = "",
    topic: str = "",
    status: str = "",
    on: date | None = None,
    page: int = 1,
) -> dict[str, Any]:
    day = on or timezone.localdate()
    found = Policy.objects.all()
    if jurisdiction:
        found = found.filter(jurisdiction=_id(Jurisdiction, code=jurisdiction))
    if topic:
        links = Policy.topics.through.objects.filter(policy=OuterRef("pk"), topic=_id(Topic, slug=topic))
        found = found.filter(Exists(links))
    if status:
        found = found.in_force(day)
    count = found.count()
    shown = found.with_status(day).select_related("jurisdiction").prefetch_related(REGULATORS, "topics")
    first = (page - 1) * PAGE_SIZE
    query = request.GET.copy()
    query["page"] = str(page + 1)
    return {
        "count": count,
        "next": f"{ROOT}/policies/?{query.urlencode()}" if count > first + PAGE_SIZE else None,
        "previous": None,
        "on": day,
        "known_at": None,
        "results": list(shown[first : first + PAGE_SIZE]),
    }


def _id(model: Any, **key: str) -> int:
    for found in model.objects.filter(**key).values_list("pk", flat=True):
        return found
    raise Http404


def _ref(collection: str, row: Any) -> dict[str, Any]:
    return {"slug": row.slug, "name": row.name, "url": f"{ROOT}/{collection}/{row.slug}/"}


def _code(word: str, choices: Any) -> dict[str, str]:
    return {"code": word, "label": choices(word).label}


urlpatterns = [path("api/v1/", api.urls), path("healthz", healthz)]
