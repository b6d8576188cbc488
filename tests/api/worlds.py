"""A small world at random: some rows of every kind, with ties, with gaps, and with texts that are hard to search."""

from datetime import date, timedelta
from decimal import Decimal

from regulations import models
from tests import factories

FIRST_DAY = date(2024, 1, 1)
TEXTS = ["Alpha", "alpha", "ALPHA 50%", "a_b", "a\\b", "Zürich", "ZÜRICH", "香港", "it's", 'say "x"', "50", "%", ""]


class World:
    """Rows in the database, made of what a seeded random chooses."""

    def __init__(self, random, size=10):
        self.random, self.size = random, size

    def some(self, values):
        """A few of these, each once; often none."""
        values = list(values)
        return self.random.sample(values, min(len(values), self.random.randint(0, 3)))

    def maybe(self, values):
        return self.random.choice([None, *values])

    def text(self):
        return self.random.choice(TEXTS)

    def name(self):
        return self.text() or "No name"

    def word(self, choices):
        return self.random.choice(choices.values)

    def day(self):
        return FIRST_DAY + timedelta(self.random.choice([0, 0, 1, 2, 30, 31]))

    def days(self, count):
        """Some days in their order, some of them missing."""
        return [self.random.choice([day, day, None]) for day in sorted(self.day() for _ in range(count))]

    def span(self):
        start = self.random.choice([None, self.day()])
        end = self.random.choice([None, (start or FIRST_DAY) + timedelta(self.random.randint(1, 31))])
        return {"valid_from": start, "valid_until": end}

    def fill(self):
        """Make the rows, those that others refer to first."""
        for make in (
            *(self.jurisdiction, self.topic, self.regulator, self.organisation, self.person, self.source),
            *(self.company, self.policy, self.milestone, self.stance, self.authorisation, self.enforcement_action),
            *(self.measure, self.event, self.figure),
        ):
            rows = [make() for _ in range(self.size)]
            setattr(self, f"{make.__name__}s", rows)
        self.connect()
        return self

    def jurisdiction(self):
        places = list(models.Jurisdiction.objects.all())
        return factories.make_jurisdiction(
            name=self.name(), kind=self.word(models.Jurisdiction.Kind), parent=self.maybe(places[:3])
        )

    def topic(self):
        return factories.make_topic(name=self.name(), kind=self.word(models.Topic.Kind))

    def regulator(self):
        return factories.make_regulator(
            name=self.name(),
            abbreviation=self.text(),
            kind=self.word(models.Regulator.Kind),
            jurisdiction=self.random.choice(self.jurisdictions),
        )

    def organisation(self):
        return factories.make_organisation(
            name=self.name(), kind=self.word(models.Organisation.Kind), jurisdiction=self.maybe(self.jurisdictions[:3])
        )

    def person(self):
        return factories.make_person(name=self.name())

    def source(self):
        publisher = self.random.choice(
            [{"publisher": self.organisations[0]}, {"publishing_regulator": self.regulators[0]}, {}]
        )
        return factories.make_source(
            title=self.name(),
            kind=self.word(models.Source.Kind),
            category=self.text(),
            language=self.random.choice(["en", "ko"]),
            published_on=self.maybe([self.day()]),
            **(publisher or {"publishing_company": factories.make_company()}),
        )

    def company(self):
        taken = models.Company.objects.count()
        company = factories.make_company(
            name=self.name(),
            legal_name=self.text(),
            headquarters=self.maybe(self.jurisdictions[:3]),
            incorporated_in=self.maybe(self.jurisdictions[:3]),
            founded_on=self.maybe([self.day()]),
            lei=lei(taken) if taken % 2 else None,
        )
        company.activities.set(self.some(self.topics))
        return company

    def policy(self):
        policy = factories.make_policy(
            title=self.name(),
            abbreviation=self.text(),
            reference=self.text(),
            kind=self.word(models.Policy.Kind),
            jurisdiction=self.random.choice(self.jurisdictions[:4]),
        )
        policy.topics.set(self.some(self.topics))
        for regulator in self.some(self.regulators):
            for role in self.some(models.PolicyRegulator.Role.values):
                factories.make_policy_regulator(policy=policy, regulator=regulator, role=role)
        return policy

    def milestone(self):
        return factories.make_milestone(
            policy=self.random.choice(self.policys), kind=self.word(models.Milestone.Kind), date=self.day()
        )

    def stance(self):
        # A topic of its own, as stances on one topic may not overlap.
        stance = factories.make_stance(
            jurisdiction=self.random.choice(self.jurisdictions[:3]),
            topic=self.topics[models.Stance.objects.count() % len(self.topics)],
            stance=self.word(models.Stance.Kind),
            **self.span(),
        )
        stance.policies.set(self.some(self.policys))
        return stance

    def authorisation(self):
        applied, granted, ended = self.days(3)
        authorisation = factories.make_authorisation(
            company=self.random.choice(self.companys[:4]),
            regulator=self.maybe(self.regulators[:3]),
            policy=self.maybe(self.policys[:3]),
            jurisdiction=self.random.choice(self.jurisdictions[:3]),
            kind=self.word(models.Authorisation.Kind),
            reference=self.text(),
            applied_on=applied,
            granted_on=granted,
            ended_on=ended,
            end_reason=self.word(models.Authorisation.EndReason) if ended else "",
        )
        authorisation.activities.set(self.some(self.topics))
        authorisation.valid_in.set(self.some(self.jurisdictions))
        return authorisation

    def enforcement_action(self):
        announced, concluded = self.days(2)
        amount = self.maybe([Decimal("100"), Decimal("100.50"), Decimal(10**12)])
        action = factories.make_enforcement_action(
            title=self.name(),
            kind=self.word(models.EnforcementAction.Kind),
            regulator=self.random.choice(self.regulators[:3]),
            jurisdiction=self.random.choice(self.jurisdictions[:3]),
            announced_on=announced,
            concluded_on=concluded,
            penalty_amount=amount,
            penalty_currency="USD" if amount else "",
        )
        action.companies.set(self.some(self.companys))
        action.policies.set(self.some(self.policys))
        return action

    def measure(self):
        start = self.maybe([self.day()])
        measure = factories.make_measure(
            title=self.name(),
            company=self.random.choice(self.companys[:4]),
            announced_on=self.maybe([self.day()]),
            effective_from=start,
            effective_until=self.maybe([start + timedelta(30)]) if start else None,
        )
        measure.topics.set(self.some(self.topics))
        return measure

    def event(self):
        starts, ends = self.days(2)
        event = factories.make_event(
            name=self.name(),
            kind=self.word(models.Event.Kind),
            jurisdiction=self.maybe(self.jurisdictions[:3]),
            starts_on=starts,
            ends_on=ends,
        )
        event.speakers.set(self.some(self.persons))
        for body in self.some(["company", "regulator", "organisation"]):
            for row in self.some(getattr(self, f"{body}s")):
                factories.make_event_organiser(event=event, **{body: row})
        return event

    def figure(self):
        subjects = [
            {"about": "the market"},
            {"company": self.companys[0]},
            {"regulator": self.regulators[0]},
            {"jurisdiction": self.jurisdictions[0]},
            {"organisation": self.organisations[0]},
        ]
        return factories.make_figure(
            metric=self.name(),
            comparison=self.word(models.Figure.Comparison),
            value=self.random.choice([Decimal(0), Decimal("0.5"), Decimal("-1"), Decimal(3 * 10**12)]),
            unit=self.name(),
            as_of=self.maybe([self.day()]),
            source=self.random.choice(self.sources[:3]),
            **subjects[models.Figure.objects.count() % len(subjects)],
        )

    def connect(self):
        """Make what stands between records, several for some pairs, and some policies whose life is over."""
        for member, bloc in {tuple(self.random.sample(self.jurisdictions[:6], 2)) for _ in range(self.size)}:
            factories.make_membership(
                member=member, bloc=bloc, law_applies=self.random.choice([True, True, False]), **self.span()
            )
        for policy in self.policys[:3]:
            factories.make_milestone(policy=policy, kind="applies", date=FIRST_DAY)
            factories.make_milestone(policy=policy, kind="repealed", date=self.day() + timedelta(60))
        for _ in range(2 * self.size):
            body = self.random.choice(["regulator", "organisation", "company"])
            factories.make_appointment(
                person=self.random.choice(self.persons),
                title=f"Office {self.random.random()}",
                **{body: self.random.choice(getattr(self, f"{body}s"))},
            )
        self.evidence()
        self.company_relations()
        self.offices()

    def company_relations(self):
        for _ in range(2 * self.size):
            company, target = self.random.sample(self.companys[:5], 2)
            facts = {"company": company, "target": target, "kind": self.word(models.CompanyRelation.Kind)}
            span = self.span()
            taken = models.CompanyRelation.objects.filter(valid_from=span["valid_from"], **facts)
            if not taken.exists():
                relation = factories.make_company_relation(group=self.text(), **facts, **span)
                factories.make_citation(source=self.random.choice(self.sources[:5]), company_relation=relation)

    def offices(self):
        """Offices with spans or with a day on which they were held, several for some people."""
        for number in range(2 * self.size):
            body = self.random.choice(["regulator", "organisation", "company"])
            office = factories.make_appointment(
                person=self.random.choice(self.persons[:4]),
                title=f"{self.name()} {number}",
                **{body: self.random.choice(getattr(self, f"{body}s")[:2])},
                **(self.span() if number % 3 else {"held_on": self.day()}),
            )
            factories.make_citation(source=self.random.choice(self.sources[:5]), appointment=office)

    def evidence(self):
        citable = (
            "jurisdiction regulator organisation policy milestone company authorisation enforcement_action measure"
        )
        for kind in f"{citable} stance person event".split():
            for number in range(self.size):
                row = self.random.choice(getattr(self, f"{kind}s"))
                factories.make_citation(
                    source=self.random.choice(self.sources[:5]), locator=f"page {number}", **{kind: row}
                )
        for source in self.sources[:8]:
            for kind in ("jurisdiction", "regulator", "policy", "company", "person", "event"):
                for row in self.some(getattr(self, f"{kind}s")):
                    factories.make_mention(source=source, **{kind: row})


def lei(number):
    """A LEI with right check digits."""
    start = f"5299{number:014d}"
    digits = int("".join(str(int(character, 36)) for character in start + "00"))
    return f"{start}{98 - digits % 97:02d}"
