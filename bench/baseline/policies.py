import django_filters
from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch
from django.utils import timezone
from django.utils.dateparse import parse_date
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from bench.baseline.serializers import PolicyDetailSerializer, PolicySerializer
from regulations.models import (
    Citation,
    Jurisdiction,
    Milestone,
    Policy,
    PolicyRegulator,
    PolicyRelation,
    PolicyStatus,
    Provision,
    Topic,
)

CITATIONS = Prefetch("citations", Citation.objects.select_related("source").order_by("source__slug", "pk"))
REGULATORS = Prefetch(
    "policy_regulators", PolicyRegulator.objects.select_related("regulator").order_by("role", "regulator__slug")
)
CONTENTS = [
    CITATIONS,
    Prefetch("milestones", Milestone.objects.prefetch_related(CITATIONS)),
    Prefetch("provisions", Provision.objects.filter(parent__isnull=True).order_by("position")),
    "provisions__children__children__children",
    Prefetch(
        "relations",
        PolicyRelation.objects.select_related("target").prefetch_related(CITATIONS).order_by("kind", "target__slug"),
    ),
    Prefetch(
        "inverse_relations",
        PolicyRelation.objects.select_related("policy").prefetch_related(CITATIONS).order_by("kind", "policy__slug"),
    ),
]


class PolicyFilter(FilterSet):
    # Both find the record first, so that the list is filtered by its id: by its slug PostgreSQL would plan badly.
    jurisdiction = django_filters.ModelChoiceFilter(queryset=Jurisdiction.objects.all(), to_field_name="code")
    topic = django_filters.ModelChoiceFilter(queryset=Topic.objects.all(), to_field_name="slug", method="filter_topic")
    status = django_filters.ChoiceFilter(choices=PolicyStatus.choices, method="filter_status")

    def filter_topic(self, policies, name, topic):
        links = Policy.topics.through.objects.filter(policy=OuterRef("pk"), topic=topic)
        return policies.filter(Exists(links))

    def filter_status(self, policies, name, status):
        if status == PolicyStatus.IN_FORCE:
            return policies.in_force(_on(self.request))
        return policies.filter(status=status)


class Pages(PageNumberPagination):
    page_size = 50

    def get_paginated_response(self, data):
        return Response(
            {
                "count": self.page.paginator.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "on": _on(self.request),
                "known_at": None,
                "results": data,
            }
        )


class PolicyViewSet(ReadOnlyModelViewSet):
    queryset = Policy.objects.all()
    filter_backends = [DjangoFilterBackend]
    filterset_class = PolicyFilter
    pagination_class = Pages
    lookup_field = "slug"

    def get_queryset(self):
        policies, wanted = super().get_queryset(), self._fields()
        if not wanted or "status" in wanted:
            policies = policies.with_status(_on(self.request))
        if not wanted or "jurisdiction" in wanted:
            policies = policies.select_related("jurisdiction")
        related = [fetch for name, fetch in (("regulators", REGULATORS), ("topics", "topics")) if name in wanted]
        policies = policies.prefetch_related(*(related if wanted else [REGULATORS, "topics"]))
        return policies.prefetch_related(*CONTENTS) if self.detail else policies

    def get_serializer_class(self):
        return PolicyDetailSerializer if self.detail else PolicySerializer

    def get_serializer_context(self):
        root = self.request.build_absolute_uri(settings.API_ROOT)
        told = {"on": _on(self.request), "known_at": None, "root": root, "fields": self._fields()}
        return {**super().get_serializer_context(), **told}

    def _fields(self):
        named = self.request.query_params.get("fields")
        return frozenset(named.split(",")) if named else frozenset()


def _on(request):
    return parse_date(request.query_params.get("on", "")) or timezone.localdate()
