"""A world of policies that nobody wrote, in the proportions of the real one, the same for the same seed.

It is made piece by piece and sent to the database by COPY, so that a million policies need no more memory than a
thousand. What triggers would keep is made here, too, so that a large world can be loaded without them.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.utils.text import slugify

from bench.prose import WORDS, Prose
from bench.tables import Table, link_table
from regulations.models import (
    Authorisation,
    Citation,
    Company,
    CompanyName,
    CompanyRelation,
    EnforcementAction,
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
# So many policies, companies or sources are sent at once.
PIECE = 2000

PLACES: dict[str, str] = WORDS["places"]
MEMBERS: list[str] = WORDS["members"].split()
TOPICS = {slug: kind for kind, slugs in WORDS["topics"].items() for slug in slugs.split()}
PROCEDURE = ["announced", "proposed", "consultation_opened", "consultation_closed", "adopted", "published"]
TAKES_EFFECT = {"in_force"}
AFTERWARDS = ["amended", "superseded", "repealed"]
ENDS = {"superseded", "repealed"}
FIRST_DAY = date(2013, 1, 1)
SPREAD_DAYS = 13 * 365
# Texts of all days that can come up: to add to a number is quicker than to a date.
DAYS = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(SPREAD_DAYS + 4000)]


def fill(size: int, *, with_triggers: bool = True) -> None:
    """Write a world with `size` policies into the empty database of `connection`.

    with_triggers: False loads a hundred times as fast, for a large world: foreign keys are not checked, and there is no
    history. The connection has to be that of a superuser.
    """
    world = World(size)
    with search_refreshed_at_end() if with_triggers else _derived_at_end(), connection.cursor() as cursor:
        for _ in world.pieces():
            for table in world.tables:
                table.write(cursor)
        for statement in connection.ops.sequence_reset_sql(no_style(), [table.model for table in world.tables]):
            cursor.execute(statement)


def rebuild_derived() -> None:
    """Make anew what the database derives from the records: all that has a function regulations_rebuild_…() for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE starts_with(proname, 'regulations_rebuild_') AND pronargs = 0 ORDER BY 1"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT {name}()")


@contextmanager
def _derived_at_end() -> Iterator[None]:
    """Have no trigger run, and make what they would have kept at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("RESET session_replication_role")
        # Plans need to know how many rows there are now.
        cursor.execute("ANALYZE")
    rebuild_derived()


class World:
    """Makes rows piece by piece; `tables` hold those that wait to be written."""

    def __init__(self, size: int, seed: int = SEED) -> None:
        self.size = size
        self.random = Random(seed)
        self.luck = self.random.random
        self.prose = Prose(self.random)
        self.policies_of: dict[int, array[int]] = defaultdict(lambda: array("l"))
        self.languages_of = _languages_of()
        self._declare_tables()

    def pieces(self) -> Iterator[None]:
        """Make the world; at each stop the rows made so far should be written."""
        self._make_places()
        self._make_topics()
        self._make_bodies()
        self.sources = max(self.size // 10, 2)
        yield from self._in_pieces(self._make_source, self.sources)
        yield from self._in_pieces(self._make_policy, self.size)
        self._make_stances()
        yield from self._in_pieces(self._make_company, max(self.size // 5, 1))
        yield from self._in_pieces(self._make_enforcement_action, self.size // 50)

    def _in_pieces(self, make: Any, count: int) -> Iterator[None]:
        for number in range(1, count + 1):
            make(number)
            if number % PIECE == 0 or number == count:
                yield

    def _declare_tables(self) -> None:
        self.jurisdictions = Table(Jurisdiction, "code name kind summary")
        self.memberships = Table(Membership, "member_id bloc_id valid_from")
        self.topics = Table(Topic, "slug name kind summary")
        self.regulators = Table(Regulator, "slug name abbreviation jurisdiction_id kind website summary")
        self.organisations = Table(Organisation, "slug name kind")
        self.publications = Table(
            Source, "slug title url kind publisher_id publishing_regulator_id published_on summary"
        )
        self.policies = Table(
            Policy,
            "slug title abbreviation kind jurisdiction_id reference official_url summary "
            "introduced_on effective_from effective_until",
        )
        self.milestones = Table(Milestone, "key policy_id kind date date_precision note")
        self.policy_regulators = Table(PolicyRegulator, "policy_id regulator_id role")
        self.policy_topics = link_table(Policy.topics.field)
        self.provisions = Table(Provision, "policy_id parent_id position label title summary")
        self.relations = Table(PolicyRelation, "policy_id kind target_id summary")
        self.citations = Table(Citation, "policy_id source_id locator read_on read_by")
        self.stances = Table(Stance, "key jurisdiction_id topic_id stance valid_from valid_until summary")
        self.stance_policies = link_table(Stance.policies.field)
        self.companies = Table(
            Company, "slug name legal_name lei headquarters_id incorporated_in_id website founded_on summary"
        )
        self.company_names = Table(CompanyName, "company_id name kind")
        self.company_relations = Table(CompanyRelation, "company_id kind target_id valid_from summary")
        self.company_activities = link_table(Company.activities.field)
        self.authorisations = Table(
            Authorisation, "key company_id regulator_id policy_id jurisdiction_id kind reference granted_on ended_on"
        )
        self.authorisation_activities = link_table(Authorisation.activities.field)
        self.actions = Table(
            EnforcementAction,
            "slug title kind regulator_id jurisdiction_id announced_on penalty_amount penalty_currency summary",
        )
        self.action_companies = link_table(EnforcementAction.companies.field)
        self.tables = [table for table in vars(self).values() if isinstance(table, Table)]

    def happens(self, share: float) -> bool:
        return self.luck() < share

    def one_of(self, things: Any) -> Any:
        return things[int(len(things) * self.luck())]

    def between(self, lowest: int, highest: int) -> int:
        return lowest + int((highest - lowest + 1) * self.luck())

    def _make_places(self) -> None:
        self.codes = dict(enumerate(PLACES, start=1))
        for code, name in PLACES.items():
            kind = "supranational" if code == "EU" else "country"
            self.jurisdictions.add(code, name, kind, self.prose.summary(120))
        # US 10 %, HK 6 %; the others ever less.
        self.place_shares = list(accumulate([0.10, 0.06, *_falling(len(PLACES) - 2, total=0.84)]))
        ids = {code: number for number, code in self.codes.items()}
        for code in MEMBERS:
            self.memberships.add(ids[code], ids["EU"], "1995-01-01")

    def _place(self) -> int:
        return self.random.choices(range(1, len(PLACES) + 1), cum_weights=self.place_shares)[0]

    def _make_topics(self) -> None:
        for slug, kind in TOPICS.items():
            self.topics.add(slug, slug.replace("-", " ").capitalize(), kind, self.prose.summary(100))
        self.other_topics = range(2, len(TOPICS) + 1)
        self.topic_shares = list(accumulate(_falling(len(self.other_topics), total=1)))

    def _some_topics(self) -> list[int]:
        """2 to 5 topics, custody among them for a quarter."""
        wanted = self.between(2, 5)
        found = {1: None} if self.happens(0.25) else {}
        while len(found) < wanted:
            found |= dict.fromkeys(self.random.choices(self.other_topics, cum_weights=self.topic_shares))
        return list(found)

    def _make_bodies(self) -> None:
        self.regulators_of = {}
        self.bodies: list[tuple[str, str, int]] = []
        kinds = list(WORDS["regulators"])
        for place, code in self.codes.items():
            chosen = self.random.sample(kinds, 3)
            self.regulators_of[place] = [self._make_regulator(place, code, kind) for kind in chosen]
        for name in WORDS["publishers"].split(", "):
            self.organisations.add(slugify(name), name, "publisher")

    def _make_regulator(self, place: int, code: str, kind: str) -> int:
        name = f"{self.one_of(WORDS['regulators'][kind])} {PLACES[code]}"
        abbreviation = "".join(word[0] for word in name.replace("-", " ").split() if word[0].isupper())
        slug = f"{code}-{abbreviation}-{kind.replace('_', '-')}".lower()
        website = f"https://www.{slug}.example"
        self.bodies.append((slug if slug.isascii() else code.lower(), abbreviation, place))
        return self.regulators.add(
            slugify(slug),
            name,
            abbreviation,
            place,
            kind,
            website if website.isascii() else "",
            self.prose.summary(120),
        )

    def _make_source(self, number: int) -> None:
        kind = self.prose.word(Source.Kind.values)
        regulator = self.between(1, len(self.bodies))
        is_official = kind in {"official", "legal_text", "register"}
        publisher = None if is_official else self.between(1, self.organisations.last_id)
        day = self._day()
        self.publications.add(
            f"source-{number}",
            self.prose.headline(self.bodies[regulator - 1][1]),
            f"https://press.example/{DAYS[day][:4]}/{number}",
            kind,
            publisher,
            regulator if is_official else None,
            DAYS[day],
            self.prose.sentence() if self.happens(0.5) else "",
        )

    def _make_policy(self, number: int) -> None:
        place = self._place()
        code = self.codes[place]
        topics = self._some_topics()
        language = self._language(code)
        prose = self.prose
        slug = f"{code.lower()}-{_topic_slugs[topics[0] - 1]}-{number}"
        steps = self._steps()
        year = min(day for _, day, _ in steps)[:4]
        policy = self.policies.add(
            slug,
            f"{prose.title(language)} {year}" if language == "en" else prose.title(language),
            f"{prose.word(prose.names)[:4].upper()}{number % 1000}" if self.happens(0.3) else "",
            self.one_of(Policy.Kind.values),
            place,
            f"No. {self.between(1, 900)} of {year}" if self.happens(0.6) else "",
            f"https://law.example/{code.lower()}/{number}" if self.happens(0.8) else "",
            prose.summary(self.between(200, 330), language),
            *_kept_dates(steps),
        )
        self.policies_of[place].append(policy)
        for kind, day, precision in steps:
            note = prose.sentence() if self.happens(0.3) else ""
            self.milestones.add(f"{slug}-{kind.replace('_', '-')}", policy, kind, day, precision, note)
        for regulator in self.random.sample(self.regulators_of[place], self.between(1, 3)):
            self.policy_regulators.add(policy, regulator, self.one_of(PolicyRegulator.Role.values))
        for topic in topics:
            self.policy_topics.add(policy, topic)
        self._make_contents(policy)

    def _language(self, code: str) -> str:
        """That of the official text: mostly there is an English one."""
        return self.one_of(self.languages_of[code]) if code in self.languages_of and self.happens(0.4) else "en"

    def _steps(self) -> list[tuple[str, str, str]]:
        """3 to 6 steps: some of procedure, mostly the entry into force, sometimes what came after it."""
        kinds = sorted(self.random.sample(PROCEDURE, self.between(2, 4)), key=PROCEDURE.index)
        takes_effect = self.happens(0.75) or len(kinds) < 3
        if takes_effect:
            kinds.append("in_force")
        if takes_effect and self.happens(0.2):
            kinds.append(self.one_of(AFTERWARDS))
        day, steps = self._day(), []
        for kind in kinds:
            steps.append((kind, *self._as_known(DAYS[day])))
            day += self.between(15, 250)
        return steps

    def _make_contents(self, policy: int) -> None:
        for source in {self.between(1, self.sources) for _ in range(self.between(1, 2))}:
            locator = f"para. {self.between(1, 90)}" if self.happens(0.3) else ""
            self.citations.add(policy, source, locator, "2026-01-02", "bench")
        if self.happens(0.3):
            for position in (1, 2, 3):
                part = self._make_part(policy, None, position)
                self._make_part(policy, part, 1)
        if policy > 1 and self.happens(0.25):
            kind = self.prose.word(PolicyRelation.Kind.values)
            self.relations.add(policy, kind, self.between(1, policy - 1), self.prose.sentence())

    def _make_part(self, policy: int, parent: int | None, position: int) -> int:
        title, summary = self.prose.word(WORDS["texts"]["en"]["matter_title"]), self.prose.sentence()
        return self.provisions.add(policy, parent, position, f"Art. {position}", title, summary)

    def _make_company(self, number: int) -> None:
        seat = self._place()
        code = self.codes[seat]
        prose = self.prose
        name = f"{prose.any_word(prose.names)} {prose.word(WORDS['suffixes'])}"
        slug = f"{slugify(name)}-{number}"
        forms = WORDS["forms"].get(code) or WORDS["forms"]["other"]
        company = self.companies.add(
            slug,
            name,
            f"{name} {prose.word(forms)}" if self.happens(0.8) else "",
            _lei(number) if self.happens(0.5) else None,
            seat,
            self._place() if self.happens(0.3) else seat,
            f"https://{slug}.example" if self.happens(0.9) else "",
            DAYS[self._day()] if self.happens(0.5) else None,
            prose.summary(120),
        )
        self._make_names(company, code)
        if company > 1 and self.happens(0.2):
            kind, target = prose.word(CompanyRelation.Kind.values), self.between(1, company - 1)
            self.company_relations.add(company, kind, target, DAYS[self._day()], "")
        for topic in self._some_topics():
            self.company_activities.add(company, topic)
        for regulator in self.random.sample(range(1, len(self.bodies) + 1), 3):
            self._make_authorisation(company, slug, regulator)

    def _make_names(self, company: int, code: str) -> None:
        if self.happens(0.3):
            former = f"{self.prose.any_word(self.prose.names)} {self.prose.word(WORDS['suffixes'])}"
            self.company_names.add(company, former, self.one_of(CompanyName.Kind.values))
        if code in {"HK", "CN", "TW", "SG"}:
            self.company_names.add(company, self.prose.chinese_name(), "alias")

    def _make_authorisation(self, company: int, slug: str, regulator: int) -> None:
        body, _, place = self.bodies[regulator - 1]
        granted = self._day()
        regimes = self.policies_of.get(place)
        authorisation = self.authorisations.add(
            f"{slug}-{body}-licence",
            company,
            regulator,
            self.one_of(regimes) if regimes and self.happens(0.5) else None,
            place,
            self.prose.word(Authorisation.Kind.values),
            f"{self.between(1, 99999):05}" if self.happens(0.7) else "",
            DAYS[granted],
            DAYS[granted + self.between(100, 2000)] if self.happens(0.2) else None,
        )
        for topic in self._some_topics()[:2]:
            self.authorisation_activities.add(authorisation, topic)

    def _make_stances(self) -> None:
        """For most places and topics one span that ended and one that holds."""
        for place, code in self.codes.items():
            for topic, slug in enumerate(TOPICS, start=1):
                turn = DAYS[self._day()]
                spans = [(None, turn), (turn, None)] if self.happens(0.7) else []
                for number, (start, end) in enumerate(spans, start=1):
                    said, summary = self.one_of(Stance.Kind.values), self.prose.summary(100)
                    key = f"{code.lower()}-{slug}-{number}"
                    stance = self.stances.add(key, place, topic, said, start, end, summary)
                    if self.policies_of[place]:
                        self.stance_policies.add(stance, self.one_of(self.policies_of[place]))

    def _make_enforcement_action(self, number: int) -> None:
        regulator = self.between(1, len(self.bodies))
        body, abbreviation, place = self.bodies[regulator - 1]
        is_fine = self.happens(0.6)
        action = self.actions.add(
            f"{body}-{number}",
            self.prose.headline(abbreviation),
            "fine" if is_fine else self.prose.word(EnforcementAction.Kind.values[1:]),
            regulator,
            place,
            DAYS[self._day()],
            self.between(1, 5000) * 1000 if is_fine else None,
            "USD" if is_fine else "",
            self.prose.summary(150),
        )
        self.action_companies.add(action, self.between(1, self.companies.last_id))

    def _day(self) -> int:
        """The place of a day in DAYS. Ever more happens: the square root leans towards today."""
        return int(SPREAD_DAYS * self.luck() ** 0.5)

    def _as_known(self, day: str) -> tuple[str, str]:
        """The day as it would be recorded, and its precision: some are known by their month or year only."""
        chance = self.luck()
        if chance < 0.03:
            return f"{day[:4]}-01-01", "year"
        return (f"{day[:7]}-01", "month") if chance < 0.10 else (day, "day")


_topic_slugs = list(TOPICS)


def _kept_dates(steps: list[tuple[str, str, str]]) -> tuple[str | None, ...]:
    """What the database keeps of a policy's steps (migration 0002): introduced_on, effective_from, effective_until."""
    effects = [day for kind, day, _ in steps if kind in TAKES_EFFECT]
    ends = [day for kind, day, _ in steps if kind in ENDS]
    until = max(ends) if ends and effects and max(ends) >= max(effects) else None
    return min(day for _, day, _ in steps), min(effects, default=None), until


def _languages_of() -> dict[str, list[str]]:
    """The languages of a place's official texts other than English, by its code."""
    found = defaultdict(list)
    for language, codes in WORDS["languages"].items():
        for code in codes.split():
            found[code].append(language)
    return found


def _lei(number: int) -> str:
    """A legal entity identifier with right check digits (ISO 17442)."""
    stem = f"5493{number:014}"
    return f"{stem}{98 - int(stem + '00') % 97:02}"


def _falling(count: int, total: float) -> list[float]:
    """Shares that fall like 1/n, after Zipf, and add up to `total`."""
    weights = [1 / (place + 3) for place in range(count)]
    return [total * weight / sum(weights) for weight in weights]
