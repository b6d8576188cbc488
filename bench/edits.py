"""What editors do all day, made as the admin makes it: one row at a time, with a kind and a reason, triggers and all."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from django.db import models

from bench.prose import Prose
from regulations.models import Authorisation, Company, CompanyName, Milestone, Policy, PolicyRegulator, Source, Stance
from regulations.models.revisions import Change, change

SEED = 11
CHANGES = 60
EDITS_IN_A_CHANGE = 8


def make_history() -> None:
    """Make some changes, so that there is a past to ask about."""
    editor = Editor()
    for _ in range(CHANGES):
        editor.edit(EDITS_IN_A_CHANGE)


class Editor:
    """Somebody who edits; what comes next is decided by the seed."""

    def __init__(self, seed: int = SEED) -> None:
        self.random = Random(seed)
        self.prose = Prose(self.random)
        self.edits: list[tuple[str, Callable[[], None]]] = [
            ("editorial", self.reword_policy),
            ("correction", self.correct_step),
            ("world", self.add_step),
            ("correction", self.add_topic),
            ("world", self.end_authorisation),
            ("world", self.rename_company),
            ("world", self.add_policy),
            ("correction", self.remove_body),
            ("editorial", self.reword_stance),
            ("verification", self.describe_source),
        ]

    def edit(self, times: int = 1) -> None:
        """Make one change of so many edits of one kind, in a transaction."""
        kind, make = self.random.choice(self.edits)
        with change(actor="bench", kind=Change.Kind(kind), reason=make.__name__.replace("_", " ").capitalize()):
            for _ in range(times):
                make()

    def reword_policy(self) -> None:
        policy = self._any(Policy)
        policy.summary = self.prose.summary(250)
        _save(policy)

    def correct_step(self) -> None:
        step = self._any(Milestone)
        step.date, step.date_precision = step.date + timedelta(days=self.random.randint(1, 60)), "day"
        _save(step)

    def add_step(self) -> None:
        policy = self._any(Policy)
        key = f"{policy.slug}-amended-{self.random.randint(1, 10**9)}"
        _save(Milestone(key=key, policy=policy, kind="amended", date=self._recently(), note=self.prose.sentence()))

    def add_topic(self) -> None:
        self._any(Policy).topics.add(self.random.randint(1, 20))

    def end_authorisation(self) -> None:
        authorisation = self._any(Authorisation)
        authorisation.ended_on, authorisation.end_reason = date(2026, 11, 1), Authorisation.EndReason.REVOKED
        _save(authorisation)

    def rename_company(self) -> None:
        company = self._any(Company)
        former, company.name = company.name, f"{self.prose.any_word(self.prose.names)} Group"
        _save(company)
        CompanyName.objects.get_or_create(company=company, name=former, defaults={"kind": "former"})

    def add_policy(self) -> None:
        number = self.random.randint(1, 10**9)
        policy = Policy(
            slug=f"hk-new-{number}",
            title=f"{self.prose.title('en')} {number}",
            kind="circular",
            jurisdiction_id=self.random.randint(1, 100),
            summary=self.prose.summary(250),
        )
        _save(policy)
        policy.topics.add(1, 2)
        # Somewhere among the others: a newest page of these alone would be a page of short records.
        day = date(2014, 1, 1) + timedelta(days=self.random.randint(0, 4000))
        _save(Milestone(key=f"{policy.slug}-in-force", policy=policy, kind="in_force", date=day))

    def remove_body(self) -> None:
        policy = self._any(Policy)
        PolicyRegulator.objects.filter(policy=policy, role="enforcer").delete()

    def reword_stance(self) -> None:
        stance = self._any(Stance)
        stance.summary = self.prose.summary(120)
        _save(stance)

    def describe_source(self) -> None:
        source = self._any(Source)
        source.summary = self.prose.summary(150)
        _save(source)

    def _any(self, model: Any) -> Any:
        """A row of the model, whichever comes at or after a number picked blindly."""
        last = model.objects.aggregate(last=models.Max("pk"))["last"]
        return model.objects.filter(pk__gte=self.random.randint(1, last)).order_by("pk")[0]

    def _recently(self) -> date:
        return date(2026, 11, 20) - timedelta(days=self.random.randint(0, 400))


def _save(row: models.Model) -> None:
    """As a form does it: the rules of the model first."""
    row.full_clean()
    row.save()
