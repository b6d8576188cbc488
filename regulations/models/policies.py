"""Public instruments, the bodies behind them, and how one instrument acts on another."""

from typing import Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable, Expression
from django.db.models.functions import Coalesce

from regulations.models.base import CodeField, Day, Record, key_field
from regulations.models.jurisdictions import law_reaches_q
from regulations.models.milestones import Milestone


class PolicyStatus(models.TextChoices):
    """What a policy's timeline says of it as of a day; never stored."""

    NOT_YET_ANNOUNCED = "not_yet_announced", "Not yet announced"
    ANNOUNCED = "announced", "Announced"
    PROPOSED = "proposed", "Proposed"
    IN_CONSULTATION = "in_consultation", "In consultation"
    CONSULTATION_CLOSED = "consultation_closed", "Consultation closed"
    ADOPTED = "adopted", "Adopted"
    PUBLISHED = "published", "Published"
    IN_FORCE = "in_force", "In force"
    SUSPENDED = "suspended", "Suspended"
    SUPERSEDED = "superseded", "Superseded"
    REPEALED = "repealed", "Repealed"
    WITHDRAWN = "withdrawn", "Withdrawn"
    NOT_ESTABLISHED = "not_established", "Not established"


STATUS_AFTER = {
    Milestone.Kind.ANNOUNCED: PolicyStatus.ANNOUNCED,
    Milestone.Kind.PROPOSED: PolicyStatus.PROPOSED,
    Milestone.Kind.CONSULTATION_OPENED: PolicyStatus.IN_CONSULTATION,
    Milestone.Kind.CONSULTATION_CLOSED: PolicyStatus.CONSULTATION_CLOSED,
    Milestone.Kind.ADOPTED: PolicyStatus.ADOPTED,
    Milestone.Kind.PUBLISHED: PolicyStatus.PUBLISHED,
    Milestone.Kind.IN_FORCE: PolicyStatus.IN_FORCE,
    Milestone.Kind.APPLIES: PolicyStatus.IN_FORCE,
    Milestone.Kind.SUSPENDED: PolicyStatus.SUSPENDED,
    Milestone.Kind.SUPERSEDED: PolicyStatus.SUPERSEDED,
    Milestone.Kind.REPEALED: PolicyStatus.REPEALED,
    Milestone.Kind.WITHDRAWN: PolicyStatus.WITHDRAWN,
}
TAKES_EFFECT = [Milestone.Kind.IN_FORCE, Milestone.Kind.APPLIES]
LOSES_EFFECT = [
    Milestone.Kind.SUSPENDED,
    Milestone.Kind.SUPERSEDED,
    Milestone.Kind.REPEALED,
    Milestone.Kind.WITHDRAWN,
]


def in_force_q(on: Day) -> Q:
    """A policy is in force from the day it takes effect until the day it loses effect, that day excluded."""
    steps = Milestone.objects.filter(date__lte=on)
    ended_since = steps.filter(policy=OuterRef("policy"), kind__in=LOSES_EFFECT, date__gte=OuterRef("date"))
    took_effect = steps.filter(policy=OuterRef("pk"), kind__in=TAKES_EFFECT).exclude(Exists(ended_since))
    return Q(Exists(took_effect))


def status_on(on: Day, path: str = "") -> Expression:
    """A policy's status as of the day `on`, from its dated steps alone.

    The last step decides, with two exceptions. Once a policy has taken effect, later steps of procedure (a further
    consultation, a publication of conclusions) leave its status alone, and only steps of effect change it. An
    announcement counts only until another step has been taken: of a proposed or adopted policy much is announced.
    On one day the step that comes later in a policy's life wins. Policies with no step by the day are not yet announced.

    path: leads from the rows that are queried to the policy, such as `policy__`; empty for policies.
    """
    steps = Milestone.objects.filter(policy=OuterRef(f"{path}pk"), date__lte=on)
    ranked = steps.annotate(kind_rank=_rank(), is_announcement=_is_announcement(), status=_status_after())
    latest_first = ranked.order_by("is_announcement", "-date", "-kind_rank").values("status")
    took_effect = Milestone.objects.filter(policy=OuterRef("policy"), date__lte=on, kind__in=TAKES_EFFECT)
    of_effect = latest_first.filter(Exists(took_effect), kind__in=[*TAKES_EFFECT, *LOSES_EFFECT])
    return Coalesce(
        Subquery(of_effect[:1]),
        Subquery(latest_first.filter(kind__in=list(STATUS_AFTER))[:1]),
        Case(
            When(Exists(steps), then=Value(PolicyStatus.NOT_ESTABLISHED.value)),
            default=Value(PolicyStatus.NOT_YET_ANNOUNCED.value),
        ),
        output_field=models.CharField(),
    )


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_force(self, on: Day) -> Self:
        """Keep the policies that are in force on the day."""
        return self.filter(in_force_q(on))

    def applying_in(self, jurisdiction: "models.Model | int | Combinable", on: Day) -> Self:
        """Keep the policies whose law reaches the jurisdiction on the day: its own, its country's, its blocs'."""
        return self.filter(law_reaches_q("jurisdiction_id", Q(pk=getattr(jurisdiction, "pk", jurisdiction)), on))

    def with_status(self, on: Day) -> Self:
        """Add `status`, the policy's status as of the day."""
        return self.annotate(status=status_on(on))


class Policy(Record):
    """Any public instrument: statute, regulation, guideline, circular, roadmap, consultation, standard, ruling, bill."""

    class Kind(models.TextChoices):
        STATUTE = "statute", "Statute"
        REGULATION = "regulation", "Regulation"
        GUIDELINE = "guideline", "Guideline"
        CIRCULAR = "circular", "Circular"
        ROADMAP = "roadmap", "Roadmap"
        CONSULTATION = "consultation", "Consultation"
        SANDBOX = "sandbox", "Sandbox"
        STANDARD = "standard", "Standard"
        COURT_RULING = "court_ruling", "Court ruling"
        TAX_RULE = "tax_rule", "Tax rule"
        BILL = "bill", "Bill"

    slug = key_field("The policy's key in addresses, such as eu-mica.")
    title = models.CharField(
        max_length=300,
        help_text="The title as cited, in English where there is an official one.",
    )
    abbreviation = models.CharField(max_length=60, blank=True, help_text="The short name in use, such as MiCA.")
    kind = CodeField(Kind.choices, "What sort of instrument it is.")
    jurisdiction = models.ForeignKey(
        "regulations.Jurisdiction",
        models.PROTECT,
        related_name="policies",
        help_text="Whose law it is.",
    )
    regulators = models.ManyToManyField(
        "regulations.Regulator",
        through="regulations.PolicyRegulator",
        related_name="policies",
        help_text="The bodies that issue, supervise or enforce it.",
    )
    reference = models.CharField(
        max_length=200,
        blank=True,
        help_text="The official citation: chapter, CELEX, bill or gazette number.",
    )
    official_url = models.URLField(max_length=500, blank=True, help_text="The official text.")
    topics = models.ManyToManyField(
        "regulations.Topic",
        related_name="policies",
        blank=True,
        help_text="The activities and themes that it is about.",
    )
    summary = models.TextField(blank=True, help_text="What it says, in our own words, in a few sentences.")
    # The database keeps these three in line with the milestones (trigger policy_dates_*), so that lists can be
    # ordered by them from an index. They are dates and hold for every day that is asked about; a status is not stored.
    introduced_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The date of the first milestone. Kept by the database.",
    )
    effective_from = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The date of the first milestone “in force” or “applies”. Kept by the database.",
    )
    effective_until = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The date of the last milestone that ended its effect, if none restored it. Kept by the database.",
    )

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = [F("introduced_on").desc(nulls_last=True), "slug"]
        verbose_name_plural = "policies"
        indexes = [
            models.Index(F("introduced_on").desc(nulls_last=True), "slug", name="policy_newest"),
            models.Index(
                "jurisdiction",
                F("introduced_on").desc(nulls_last=True),
                "slug",
                name="policy_newest_by_jurisdiction",
            ),
            # What is found by words in a place, beyond the ranked; the id is what its document is found by.
            models.Index("jurisdiction", "slug", name="policy_by_jurisdiction", include=["id"]),
            models.Index(
                F("effective_from").desc(nulls_last=True),
                "slug",
                name="policy_latest_effect",
            ),
            # The laws of which no step of effect is known: what a country page counts as a gap.
            models.Index(
                "jurisdiction", "kind", name="policy_without_start", condition=models.Q(effective_from__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.abbreviation})" if self.abbreviation else self.title

    def is_in_force(self, on: Day) -> bool:
        """Whether the policy is in force on the day."""
        return Policy.objects.in_force(on).filter(pk=self.pk).exists()


class PolicyRegulator(models.Model):
    """The part that a regulator plays for a policy."""

    class Role(models.TextChoices):
        ISSUER = "issuer", "Issuer"
        SUPERVISOR = "supervisor", "Supervisor"
        ENFORCER = "enforcer", "Enforcer"

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="policy_regulators")
    regulator = models.ForeignKey(
        "regulations.Regulator",
        models.PROTECT,
        related_name="policy_regulators",
        help_text="The body.",
    )
    role = CodeField(Role.choices, "What the body does about the policy.")

    class Meta:
        ordering = ["policy", "role", "regulator__slug"]
        constraints = [
            models.UniqueConstraint(
                name="policyregulator_once_per_role",
                fields=["policy", "regulator", "role"],
                violation_error_message="regulator: it has this role for the policy already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.regulator} ({self.role})"


class PolicyRelation(Record):
    """What one policy does to another: `policy` implements, amends … `target`."""

    class Kind(models.TextChoices):
        IMPLEMENTS = "implements", "Implements"
        AMENDS = "amends", "Amends"
        SUPERSEDES = "supersedes", "Supersedes"
        REPEALS = "repeals", "Repeals"
        TRANSPOSES = "transposes", "Transposes"
        GUIDANCE_ON = "guidance_on", "Gives guidance on"
        CONSULTS_ON = "consults_on", "Consults on"

    policy = models.ForeignKey(
        Policy,
        models.CASCADE,
        related_name="relations",
        help_text="The policy that acts on the other.",
    )
    kind = CodeField(Kind.choices, "What the policy does to the other.")
    target = models.ForeignKey(
        Policy,
        models.PROTECT,
        related_name="inverse_relations",
        help_text="The policy that is acted on.",
    )
    summary = models.TextField(blank=True, help_text="What one should know about it.")

    class Meta:
        ordering = ["policy", "kind", "target__slug"]
        constraints = [
            models.UniqueConstraint(
                name="policyrelation_once",
                fields=["policy", "kind", "target"],
                violation_error_message="target: this relation is there already.",
            ),
            models.CheckConstraint(
                name="policyrelation_to_another",
                condition=~Q(policy=F("target")),
                violation_error_message="target: a policy cannot act on itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id and self.policy.slug} {self.kind} {self.target_id and self.target.slug}"


def _rank() -> Case:
    return Case(*(When(kind=kind, then=Value(rank)) for rank, kind in enumerate(Milestone.Kind.values)))


def _is_announcement() -> Case:
    return Case(When(kind=Milestone.Kind.ANNOUNCED, then=Value(1)), default=Value(0))


def _status_after() -> Case:
    return Case(
        *(When(kind=kind.value, then=Value(status.value)) for kind, status in STATUS_AFTER.items()),
        output_field=models.CharField(),
    )
