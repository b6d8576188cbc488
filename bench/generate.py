"""A world of policies that nobody wrote, in the proportions of the real one, the same for the same seed.

The words are made up and mean nothing; the numbers are what counts: how many, of what size, how unevenly spread.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any, TypeVar

from django.core.management.color import no_style
from django.db import connection, models

from regulations.models import (
    Authorisation,
    Citation,
    Company,
    Jurisdiction,
    Membership,
    Milestone,
    Organisation,
    Policy,
    PolicyRegulator,
    PolicyRelation,
    Provision,
    Regulator,
    Source,
    Stance,
    Topic,
)
from regulations.models.search import search_refreshed_at_end

SEED = 2026


def _words(text: str) -> list[str]:
    return text.split()


BUSY = ["US", "HK"]
MEMBERS = _words("DE AT BE BG CY CZ DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
OTHERS = _words(
    "EU GB SG JP KR CH AE AU CA IN BR CN TW TH MY ID PH VN KZ UZ TR IL SA BH QA KW OM JO EG MA TN NG KE ZA GH RW "
    "UG TZ MU SC BS KY BM VG JE GG IM GI LI NO IS UA GE AM AZ MD RS ME AL MK BA BY RU MX AR CL CO PE UY PY BO CR "
    "PA SV GT DO JM"
)
TOPICS = _words(
    "custody exchange stablecoin-issuance aml-cft travel-rule kyc staking lending derivatives token-offering "
    "marketing taxation accounting market-abuse consumer-protection prudential defi nft mining payments "
    "tokenisation sandbox cyber-security insolvency"
)
WORDS = _words(
    "the of and to virtual asset service provider licence custody client money shall segregated reserve issuer "
    "token stablecoin reporting supervisor règlement consultation guidance threshold transfer originator "
    "beneficiary capital requirement disclosure white paper marché trading platform wallet cold storage audit "
    "sanction règle measure 穩定幣 verification identity customer risk assessment outsourcing record retention fit "
    "proper person senior management"
)
PROCEDURE = ["announced", "proposed", "consultation_opened", "consultation_closed", "adopted", "published"]
AFTERWARDS = ["amended", "superseded", "repealed"]
FIRST_DAY = date(2013, 1, 1)
SPREAD_DAYS = 13 * 365

Row = TypeVar("Row", bound=models.Model)


def fill(size: int) -> None:
    """Write a world with `size` policies into the empty database of `connection`; each constraint is checked by it."""
    rows = World(size).rows
    with search_refreshed_at_end(), connection.cursor() as cursor:
        for model, instances in rows.items():
            _copy(cursor, model, instances)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(rows)):
            cursor.execute(statement)


class World:
    """All rows by their model, in the order in which they can be written."""

    def __init__(self, size: int, seed: int = SEED) -> None:
        self.random = Random(seed)  # noqa: S311 (it makes examples, not secrets)
        self.rows: dict[type[models.Model], list[Any]] = defaultdict(list)
        self._make_places()
        self._make_topics()
        self._make_bodies()
        self._make_sources(max(size // 10, 1))
        for number in range(1, size + 1):
            self._make_policy(number)
        self._make_companies(max(size // 5, 1))
        self._make_stances()

    def add(self, model: type[Row], **facts: Any) -> Row:
        """A new row, numbered from 1 within its table."""
        row = model(pk=len(self.rows[model]) + 1, **facts)
        self.rows[model].append(row)
        return row

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def prose(self, length: int) -> str:
        """About so many characters of words."""
        text = " ".join(self.random.choices(WORDS, k=length // 6 + 2))
        return text[:length].strip().capitalize()

    def _make_places(self) -> None:
        codes = [*BUSY, *MEMBERS, *OTHERS]
        blocs = {"EU": Jurisdiction.Kind.SUPRANATIONAL}
        for code in codes:
            kind = blocs.get(code, Jurisdiction.Kind.COUNTRY)
            self.add(Jurisdiction, code=code, name=f"Place {code}", kind=kind, summary=self.prose(120))
        self.places = {place.code: place for place in self.rows[Jurisdiction]}
        # US 10 %, HK 6 %; the others ever less.
        shares = [0.10, 0.06, *_falling(len(codes) - 2, total=0.84)]
        self.place_shares = list(accumulate(shares))
        for code in MEMBERS:
            self.add(Membership, member=self.places[code], bloc=self.places["EU"], valid_from=date(1995, 1, 1))

    def _make_topics(self) -> None:
        for slug in TOPICS:
            kind = Topic.Kind.ACTIVITY if self.happens(0.5) else Topic.Kind.THEME
            self.add(Topic, slug=slug, name=slug.replace("-", " ").title(), kind=kind, summary=self.prose(100))
        self.custody, *self.other_topics = self.rows[Topic]
        self.topic_shares = list(accumulate(_falling(len(self.other_topics), total=1)))

    def _make_bodies(self) -> None:
        self.regulators_of = {}
        for place in self.rows[Jurisdiction]:
            self.regulators_of[place.pk] = [self._make_regulator(place, number) for number in (1, 2, 3)]
        self.publisher = self.add(Organisation, slug="the-press", name="The Press", kind="publisher")

    def _make_regulator(self, place: Jurisdiction, number: int) -> Regulator:
        kind = self.random.choice(Regulator.Kind.values)
        slug, name = f"{place.code.lower()}-body-{number}", f"Authority {number} of {place.code} for Financial Markets"
        return self.add(Regulator, slug=slug, name=name, abbreviation=f"A{number}", jurisdiction=place, kind=kind)

    def _make_sources(self, count: int) -> None:
        for number in range(1, count + 1):
            self.add(
                Source,
                slug=f"source-{number}",
                title=self.prose(70),
                url=f"https://press.example/{number}",
                kind=self.random.choice(Source.Kind.values),
                publisher=self.publisher,
                published_on=self._day(),
            )

    def _make_policy(self, number: int) -> None:
        (place,) = self.random.choices(self.rows[Jurisdiction], cum_weights=self.place_shares)
        policy = self.add(
            Policy,
            slug=f"{place.code.lower()}-{self.random.choice(TOPICS)}-{number}",
            title=f"{self.prose(60)} {number}",
            abbreviation=f"P{number}" if self.happens(0.3) else "",
            kind=self.random.choice(Policy.Kind.values),
            jurisdiction=place,
            reference=f"Cap. {number}" if self.happens(0.6) else "",
            official_url=f"https://law.example/{number}" if self.happens(0.8) else "",
            summary=self.prose(self.random.randint(220, 380)),
        )
        self._make_life(policy)
        for regulator in self.random.sample(self.regulators_of[place.pk], self.random.randint(1, 3)):
            role = self.random.choice(PolicyRegulator.Role.values)
            self.add(PolicyRegulator, policy=policy, regulator=regulator, role=role)
        self._add_links(Policy.topics.through, policy, self._topics())
        self._make_contents(policy)

    def _make_life(self, policy: Policy) -> None:
        """3 to 6 steps: some of procedure, mostly the entry into force, sometimes what came after it."""
        kinds = sorted(self.random.sample(PROCEDURE, self.random.randint(2, 4)), key=PROCEDURE.index)
        takes_effect = self.happens(0.75) or len(kinds) < 3
        if takes_effect:
            kinds.append("in_force")
        if takes_effect and self.happens(0.2):
            kinds.append(self.random.choice(AFTERWARDS))
        day = self._day()
        for kind in kinds:
            on, precision = self._as_known(day)
            key = f"{policy.slug}-{kind.replace('_', '-')}"
            note = self.prose(60) if self.happens(0.3) else ""
            self.add(Milestone, key=key, policy=policy, kind=kind, date=on, date_precision=precision, note=note)
            day += timedelta(days=self.random.randint(15, 250))

    def _make_contents(self, policy: Policy) -> None:
        for source in self.random.sample(self.rows[Source], min(self.random.randint(1, 2), len(self.rows[Source]))):
            self.add(Citation, policy=policy, source=source, read_on=date(2026, 1, 2), read_by="bench")
        if self.happens(0.3):
            for position in (1, 2, 3):
                part = self._make_part(policy, position)
                self._make_part(policy, 1, parent=part)
        if policy.pk > 1 and self.happens(0.25):
            target = self.random.choice(self.rows[Policy][:-1])
            self.add(PolicyRelation, policy=policy, target=target, kind="amends", summary=self.prose(80))

    def _make_part(self, policy: Policy, position: int, **facts: Any) -> Provision:
        label, summary = f"Art. {position}", self.prose(120)
        return self.add(
            Provision, policy=policy, position=position, label=label, title=self.prose(40), summary=summary, **facts
        )

    def _make_companies(self, count: int) -> None:
        for number in range(1, count + 1):
            (seat,) = self.random.choices(self.rows[Jurisdiction], cum_weights=self.place_shares)
            company = self.add(
                Company, slug=f"company-{number}", name=f"Company {number}", headquarters=seat, summary=self.prose(150)
            )
            self._add_links(Company.activities.through, company, self._topics())
            for regulator in self.random.sample(self.rows[Regulator], 3):
                self._make_authorisation(company, regulator)

    def _make_authorisation(self, company: Company, regulator: Regulator) -> None:
        granted = self._day()
        ended = granted + timedelta(days=self.random.randint(100, 2000)) if self.happens(0.2) else None
        authorisation = self.add(
            Authorisation,
            key=f"{company.slug}-{regulator.slug}-licence",
            company=company,
            regulator=regulator,
            jurisdiction=regulator.jurisdiction,
            kind=self.random.choice(Authorisation.Kind.values),
            granted_on=granted,
            ended_on=ended,
        )
        self._add_links(Authorisation.activities.through, authorisation, self._topics()[:2])

    def _make_stances(self) -> None:
        """For most places and topics one span that ended and one that holds."""
        for place in self.rows[Jurisdiction]:
            for topic in self.rows[Topic]:
                turn = self._day()
                spans = [(None, turn), (turn, None)] if self.happens(0.7) else []
                for number, (start, end) in enumerate(spans, start=1):
                    key = f"{place.code.lower()}-{topic.slug}-{number}"
                    kind = self.random.choice(Stance.Kind.values)
                    facts = {"stance": kind, "valid_from": start, "valid_until": end, "summary": self.prose(100)}
                    self.add(Stance, key=key, jurisdiction=place, topic=topic, **facts)

    def _add_links(self, link: Any, row: models.Model, topics: Iterable[Topic]) -> None:
        for topic in topics:
            self.add(link, **{row._meta.model_name or "": row, "topic": topic})

    def _topics(self) -> list[Topic]:
        """2 to 5 topics, custody among them for a quarter."""
        wanted = self.random.randint(2, 5)
        found = {self.custody: None} if self.happens(0.25) else {}
        while len(found) < wanted:
            found |= dict.fromkeys(self.random.choices(self.other_topics, cum_weights=self.topic_shares))
        return list(found)

    def _day(self) -> date:
        # Ever more happens: the square root leans towards today.
        return FIRST_DAY + timedelta(days=int(SPREAD_DAYS * self.random.random() ** 0.5))

    def _as_known(self, day: date) -> tuple[date, str]:
        """The day as it would be recorded: some are known by their month or year only."""
        chance = self.random.random()
        if chance < 0.03:
            return day.replace(month=1, day=1), "year"
        return (day.replace(day=1), "month") if chance < 0.10 else (day, "day")


def _falling(count: int, total: float) -> list[float]:
    """Shares that fall like 1/n, after Zipf, and add up to `total`."""
    weights = [1 / (place + 3) for place in range(count)]
    return [total * weight / sum(weights) for weight in weights]


def _copy(cursor: Any, model: type[models.Model], instances: Iterable[models.Model]) -> None:
    fields = model._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for instance in instances:
            copy.write_row([_value(field, instance) for field in fields])


def _value(field: models.Field, instance: models.Model) -> Any:
    value = getattr(instance, field.attname)
    # All else goes as it is; asking the field each time would take longer than the whole load.
    return field.get_db_prep_save(value, connection) if isinstance(field, models.JSONField) else value
