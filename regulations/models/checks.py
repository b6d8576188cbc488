"""What can be wrong, or missing, although every constraint is kept: the questions that a check of the data asks.

A fault is a statement that cannot be right; a doubt deserves a second look; a gap is something not known yet.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, TextChoices
from django.db.models.functions import Coalesce

from regulations.models import contradictions
from regulations.models.authorisations import Authorisation
from regulations.models.bodies import Organisation
from regulations.models.citations import CITABLE, Citation
from regulations.models.companies import Company, CompanyRelation
from regulations.models.jurisdictions import Jurisdiction, Membership
from regulations.models.people import Appointment
from regulations.models.policies import Policy
from regulations.models.provisions import Provision
from regulations.models.sources import Source
from regulations.models.stances import Stance
from regulations.models.topics import Topic

# What a reader asks first about a country; topics of one line answer one question.
MAIN_TOPICS = [
    ("legal-status", "exchange"),
    ("licensing", "exchange"),
    ("aml-cft",),
    ("stablecoin-issuance",),
    ("taxation",),
    ("custody",),
]
# These rest on the citations of the policy that they belong to.
CITED_WITH_THEIR_POLICY = ["provision", "policy_relation"]


class Kind(TextChoices):
    """The kinds of finding, in the order of a report."""

    UNCITED = "uncited", "Records without citation"
    DANGLING = "dangling", "References to nothing"
    CONTRADICTION = "contradiction", "Statuses that contradict their dates"
    OVERLAP = "overlap", "Spans that overlap"
    DOUBT = "doubt", "Worth a second look"
    GAP = "gap", "Gaps"


FAULTS = [Kind.UNCITED, Kind.DANGLING, Kind.CONTRADICTION, Kind.OVERLAP]


@dataclass(frozen=True)
class Check:
    """One question about the data. `find` takes the day that is asked about, and asks the database once."""

    kind: Kind
    about: str
    find: Callable[[date], Iterable[Model]]

    @property
    def is_fault(self) -> bool:
        """Whether what it finds cannot be right."""
        return self.kind in FAULTS


def uncited(name: str, on: date) -> QuerySet[Model]:
    """The records of the kind (the name of its foreign key in a citation) that rest on nothing."""
    return _cited(name)._default_manager.filter(citations__isnull=True)


def uncited_organisations(on: date) -> QuerySet[Organisation]:
    """A publisher is evident from what it published."""
    return Organisation.objects.filter(citations__isnull=True).exclude(kind=Organisation.Kind.PUBLISHER)


def citations_of_no_field(on: date) -> list[Citation]:
    """Citations that name a field which their record does not have."""
    cited = Citation.objects.exclude(fields=[]).select_related("source")
    return [citation for citation in cited if not set(citation.fields) <= _field_names(citation)]


def themes_as_activities(model: type[Company] | type[Authorisation], on: date) -> QuerySet[Model]:
    return model._default_manager.filter(activities__kind=Topic.Kind.THEME).distinct()


def strayed_provisions(on: date) -> QuerySet[Provision]:
    return Provision.objects.exclude(parent__isnull=True).exclude(policy=F("parent__policy"))


def circular(model: type[Provision] | type[Jurisdiction], on: date) -> Iterable[Model]:
    """Rows that no chain of parents connects with a top."""
    table = model._meta.db_table
    return model._default_manager.raw(
        f"""WITH RECURSIVE rooted AS (
                SELECT id FROM {table} WHERE parent_id IS NULL
                UNION ALL SELECT part.id FROM {table} part JOIN rooted ON part.parent_id = rooted.id
            ) SELECT * FROM {table} WHERE id NOT IN (SELECT id FROM rooted)"""  # noqa: S608 - the table is our own
    )


def overlapping(model: type[Model], same: Q, on: date) -> QuerySet[Model]:
    """Rows whose span shares a day with an earlier row's that is `same`, a condition with references outwards."""
    earlier = model._default_manager.filter(same, pk__lt=OuterRef("pk"))
    begins_in_time = Q(first__lt=Coalesce(OuterRef("valid_until"), date.max))
    ends_late_enough = Q(end__gt=Coalesce(OuterRef("valid_from"), date.min))
    spans = earlier.annotate(first=Coalesce("valid_from", date.min), end=Coalesce("valid_until", date.max))
    return model._default_manager.filter(Exists(spans.filter(begins_in_time, ends_late_enough)))


def countries_without_stance(topics: Sequence[str], on: date) -> QuerySet[Jurisdiction]:
    """Countries and territories that say nothing on these topics on the day, nor any bloc whose law reaches them."""
    stances = Stance.objects.on(on).filter(topic__slug__in=topics)
    blocs = Membership.objects.on(on).filter(law_applies=True, member=OuterRef("pk"))
    spoken_for = blocs.filter(Exists(stances.filter(jurisdiction=OuterRef("bloc"))))
    own = Exists(stances.filter(jurisdiction=OuterRef("pk")))
    places = Jurisdiction.objects.filter(kind__in=[Jurisdiction.Kind.COUNTRY, Jurisdiction.Kind.TERRITORY])
    return places.exclude(own).exclude(Exists(spoken_for))


def sources_for_nothing(on: date) -> QuerySet[Source]:
    return Source.objects.filter(citations__isnull=True, figures__isnull=True)


def laws_without_start(on: date) -> QuerySet[Policy]:
    binding = [Policy.Kind.STATUTE, Policy.Kind.REGULATION, Policy.Kind.TAX_RULE]
    return Policy.objects.filter(kind__in=binding, effective_from__isnull=True)


def undated_authorisations(on: date) -> QuerySet[Authorisation]:
    return Authorisation.objects.filter(granted_on__isnull=True)


def _cited(name: str) -> type[Model]:
    cited = Citation._meta.get_field(name).related_model
    assert isinstance(cited, type)
    return cited


def _field_names(citation: Citation) -> set[str]:
    name = next(name for name in CITABLE if getattr(citation, f"{name}_id"))
    return {field.name for field in _cited(name)._meta.get_fields()}


def _plural(name: str) -> str:
    return str(_cited(name)._meta.verbose_name_plural)


def _outer(*names: str) -> Q:
    return Q(**{name: OuterRef(name) for name in names})


SAME_BODY = _outer("regulator") | _outer("organisation") | _outer("company")

CHECKS = [
    *(
        Check(Kind.UNCITED, _plural(name), partial(uncited, name))
        for name in CITABLE
        if name not in (*CITED_WITH_THEIR_POLICY, "organisation")
    ),
    Check(Kind.UNCITED, "organisations, publishers aside", uncited_organisations),
    Check(Kind.DANGLING, "citations of a field that there is not", citations_of_no_field),
    Check(Kind.DANGLING, "companies with a theme as activity", partial(themes_as_activities, Company)),
    Check(Kind.DANGLING, "authorisations with a theme as activity", partial(themes_as_activities, Authorisation)),
    Check(Kind.DANGLING, "provisions below another policy's", strayed_provisions),
    Check(Kind.DANGLING, "provisions in a circle", partial(circular, Provision)),
    Check(Kind.DANGLING, "jurisdictions in a circle", partial(circular, Jurisdiction)),
    Check(Kind.CONTRADICTION, "policies proposed after they took effect", contradictions.proposed_after_effect),
    Check(Kind.CONTRADICTION, "consultations closed before they opened", contradictions.consulted_backwards),
    Check(Kind.CONTRADICTION, "policies ended before they were made", contradictions.ended_before_begun),
    Check(Kind.CONTRADICTION, "bills in force", contradictions.bills_in_force),
    Check(Kind.CONTRADICTION, "authorisations under a policy not in force then", contradictions.granted_without_law),
    Check(Kind.CONTRADICTION, "authorisations before the company was founded", contradictions.granted_before_founded),
    Check(Kind.CONTRADICTION, "offices held after their end", contradictions.held_out_of_office),
    Check(Kind.CONTRADICTION, "steps outside their event", contradictions.steps_outside_events),
    Check(Kind.CONTRADICTION, "figures as of a day after their source", contradictions.figures_from_the_future),
    Check(Kind.CONTRADICTION, "sources read before they were published", contradictions.read_before_published),
    Check(Kind.OVERLAP, "stances", partial(overlapping, Stance, _outer("jurisdiction", "topic"))),
    Check(Kind.OVERLAP, "memberships", partial(overlapping, Membership, _outer("member", "bloc"))),
    Check(Kind.OVERLAP, "appointments", partial(overlapping, Appointment, _outer("person", "title") & SAME_BODY)),
    Check(
        Kind.OVERLAP,
        "company relations",
        partial(overlapping, CompanyRelation, _outer("company", "kind", "target")),
    ),
    Check(Kind.DOUBT, "policies adopted after they took effect", contradictions.adopted_after_effect),
    Check(Kind.DOUBT, "bills with a step of effect", contradictions.bills_with_steps_of_effect),
    Check(Kind.DOUBT, "policies in force though replaced", contradictions.in_force_though_replaced),
    Check(Kind.DOUBT, "stances before their policies took effect", contradictions.stances_before_their_law),
    Check(Kind.DOUBT, "stances proposed though in force", contradictions.proposed_though_in_force),
    *(
        Check(
            Kind.GAP, f"countries without a stance on {' or '.join(topics)}", partial(countries_without_stance, topics)
        )
        for topics in MAIN_TOPICS
    ),
    Check(Kind.GAP, "laws without a known start", laws_without_start),
    Check(Kind.GAP, "authorisations without a known start", undated_authorisations),
    Check(Kind.GAP, "sources on which nothing rests", sources_for_nothing),
]
