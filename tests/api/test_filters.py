"""What each filter finds is compared with what its words say, worked out row by row in Python."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kbase.reading.filters import Codes, Dates, Flag, Keys, Numbers, Reference
from kbase.reading.groups import Group
from regulations.api.enforcement_actions import NamedDomain
from regulations.api.urls import RESOURCES
from regulations.models import (
    Authorisation,
    AuthorisationStatus,
    Jurisdiction,
    Membership,
    Milestone,
    Policy,
    PolicyStatus,
    Stance,
)
from tests.api.asking import ask, keys, walk
from tests.api.worlds import TEXTS
from tests.factories import (
    make_authorisation,
    make_citation,
    make_company,
    make_jurisdiction,
    make_membership,
    make_milestone,
    make_policy,
    make_policy_regulator,
    make_regulator,
    make_source,
    make_stance,
)

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
ON = date(2024, 1, 3)
DAY = timedelta(1)


@pytest.fixture
def world(world_of):
    world_of(20240229)


# What the documentation says, in Python


def value_at(row, path):
    for name in path.split("__"):
        row = None if row is None else getattr(row, name)
    return row


def comparisons(path, values):
    """Every comparison with every one of the values, as parameters and as a condition in Python."""
    for value in values:
        yield "", value, lambda row, v=value: value_at(row, path) == v
        yield "__gt", value, lambda row, v=value: value_at(row, path) is not None and value_at(row, path) > v
        yield "__gte", value, lambda row, v=value: value_at(row, path) is not None and value_at(row, path) >= v
        yield "__lt", value, lambda row, v=value: value_at(row, path) is not None and value_at(row, path) < v
        yield "__lte", value, lambda row, v=value: value_at(row, path) is not None and value_at(row, path) <= v


def cases_of_keys(path, rows):
    known = sorted(value for row in rows if (value := value_at(row, path)))
    for some in (known[:1], known[1:4], known):
        if some:
            yield "", ",".join(some), lambda row, some=some: value_at(row, path) in some
            yield "__not", ",".join(some), lambda row, some=some: value_at(row, path) not in some


def cases_of_codes(declared, name, rows):
    compute = COMPUTED.get((declared.model, name)) or (lambda row: value_at(row, declared.field_name or name))
    words = declared.choices.values
    for some in [[word] for word in words] + [words[:2], words[1:], words]:
        yield "", ",".join(some), lambda row, some=some: compute(row) in some
        yield "__not", ",".join(some), lambda row, some=some: compute(row) not in some
    yield from is_null_cases(declared, compute)


def cases_of_days(declared, name, rows):
    path = declared.field_name or name
    known = sorted(value for row in rows if (value := value_at(row, path)))
    yield from comparisons(path, [known[0] - DAY, known[0], known[len(known) // 2], known[-1], known[-1] + DAY])
    yield from is_null_cases(declared, lambda row: value_at(row, path))


def cases_of_numbers(declared, name, rows):
    path = declared.field_name or name
    known = sorted({value for row in rows if (value := value_at(row, path)) is not None})
    yield from comparisons(path, known)
    yield from is_null_cases(declared, lambda row: value_at(row, path))


def cases_of_domains(rows):
    domains = {row.pk: {named.domain for named in row.domains.all()} for row in rows}
    for domain in ("nowhere.example", *sorted(set().union(*domains.values()))):
        yield "", domain, lambda row, domain=domain: domain in domains[row.pk]


def cases_of_words(declared, name, rows):
    path = declared.field_name or name
    for text in (*filter(None, TEXTS), "ALP", "ü", "p", "_", "\\", "%%", "'", "港"):
        yield "", text, lambda row, text=text: value_at(row, path) == text
        yield "__contains", text, lambda row, text=text: text.lower() in value_at(row, path).lower()
    yield from is_null_cases(declared, lambda row: value_at(row, path))


def is_null_cases(declared, value):
    if declared.nullable:
        yield "__isnull", "true", lambda row: value(row) in (None, "", set())
        yield "__isnull", "false", lambda row: value(row) not in (None, "", set())


def related(declared, name, row):
    """The keys of the related records."""
    path = declared.field_name or name
    found = value_at(row, path)
    if found is None:
        return set()
    if not hasattr(found, "all"):
        return {getattr(found, declared.key)}
    records = [getattr(each, declared.through) if declared.through else each for each in found.all()]
    return {getattr(record, declared.key) for record in records if record}


def cases_of_references(declared, name, rows):
    if (declared.model, name) == (Policy, "applies_in"):
        yield from cases_of_places()
        return
    known = sorted({key for row in rows for key in related(declared, name, row)})
    assert known, f"no row has a {name}"
    for some in (known[:1], known[-1:], known[:2], known[1:3], known):
        if some:
            yield "", ",".join(some), lambda row, some=set(some): bool(related(declared, name, row) & some)
            yield "__not", ",".join(some), lambda row, some=set(some): not related(declared, name, row) & some
            yield "__all", ",".join(some), lambda row, some=set(some): some <= related(declared, name, row)
    yield from is_null_cases(declared, lambda row: related(declared, name, row))


def cases_of_places():
    codes = sorted(Jurisdiction.objects.values_list("code", flat=True))
    for some in [[code] for code in codes[:8]] + [codes[:2], codes[2:5]]:
        reaching = set().union(*(whose_law_reaches(code, ON) for code in some))
        yield "", ",".join(some), lambda row, reaching=reaching: row.jurisdiction.code in reaching


def whose_law_reaches(code, on):
    """The place itself, the blocs whose law applies there on the day, and those whose law applies in these."""
    binding = [
        (membership.member.code, membership.bloc.code)
        for membership in Membership.objects.select_related("member", "bloc")
        if membership.law_applies and holds(membership, on)
    ]
    direct = {bloc for member, bloc in binding if member == code}
    return {code} | direct | {bloc for member, bloc in binding if member in direct}


def holds(row, on):
    return (row.valid_from is None or row.valid_from <= on) and (row.valid_until is None or on < row.valid_until)


GROUPS_TRIED = 25


def members(declared, row):
    """The related records of a row that a group looks at on the day."""
    related_rows = getattr(row, declared.relation).all()
    return [each for each in related_rows if declared.holding_on is None or holds(each, ON)]


def conditions(declared, rows):
    """Conditions on one related record, by the filters they belong to: as a pair, and in Python."""
    possible = {}
    for name, inner in declared.filterset.declared_filters.items():
        if name in declared.conditions:
            inner.model = declared.filterset._meta.model
            possible[name] = [
                (f"{name}{suffix}:{str(value).replace(',', '|')}", condition)
                for suffix, value, condition in cases(inner, name, rows)
                if name + suffix in declared.conditions
            ]
    return possible


def cases_of_groups(declared, rows):
    random = Random(11)
    of_each = {row.pk: members(declared, row) for row in rows}
    possible = conditions(declared, {each.pk: each for some in of_each.values() for each in some}.values())
    for number in range(GROUPS_TRIED):
        names = random.sample(list(possible), min(len(possible), 1 + number % 3))
        pairs, met = zip(*(random.choice(possible[name]) for name in names), strict=True)

        def one_meets_all(row, met=met):
            return any(all(condition(each) for condition in met) for each in of_each[row.pk])

        yield "", ",".join(pairs), one_meets_all
        yield "__not", ",".join(pairs), lambda row, one_meets_all=one_meets_all: not one_meets_all(row)
    for count in (0, 1, 2, 3, 10**9):
        yield "__count", count, lambda row, count=count: len(of_each[row.pk]) == count
        yield "__count__gte", count, lambda row, count=count: len(of_each[row.pk]) >= count
        yield "__count__lte", count, lambda row, count=count: len(of_each[row.pk]) <= count


def cases(declared, name, rows):
    """For each parameter of a filter its values, each with the condition on a row that its words state."""
    if isinstance(declared, Keys):
        return cases_of_keys(declared.field_name or name, rows)
    if isinstance(declared, Group):
        return cases_of_groups(declared, rows)
    if isinstance(declared, Flag):
        assert name == "is_past"
        return [("", "true", lambda row: row.date <= ON), ("", "false", lambda row: row.date > ON)]
    if isinstance(declared, NamedDomain):
        return cases_of_domains(rows)
    kinds = {Codes: cases_of_codes, Reference: cases_of_references, Numbers: cases_of_numbers, Dates: cases_of_days}
    return kinds.get(type(declared), cases_of_words)(declared, name, rows)


EFFECT = {"in_force", "applies"}
LOSS = {"suspended", "superseded", "repealed", "withdrawn"}
STATUS_WORDS = {
    "announced": "announced",
    "proposed": "proposed",
    "consultation_opened": "in_consultation",
    "consultation_closed": "consultation_closed",
    "adopted": "adopted",
    "published": "published",
    "in_force": "in_force",
    "applies": "in_force",
    "suspended": "suspended",
    "superseded": "superseded",
    "repealed": "repealed",
    "withdrawn": "withdrawn",
}


def policy_status(steps, on):
    """The status that a timeline (kinds with their days) has on the day, as the documentation words it."""
    life = [kind for kind, _ in Milestone.Kind.choices]
    past = sorted((day, life.index(kind), kind) for kind, day in steps if day <= on)
    if not past:
        return "not_yet_announced"
    took_effect = any(kind in EFFECT for _, _, kind in past)
    telling = [kind for _, _, kind in past if kind in (EFFECT | LOSS if took_effect else STATUS_WORDS)]
    # An announcement counts only until another step has been taken.
    telling = [kind for kind in telling if kind != "announced"] or telling
    return STATUS_WORDS[telling[-1]] if telling else "not_established"


def authorisation_status(row, on=ON):
    if row.ended_on and row.ended_on <= on:
        return "ended"
    if row.granted_on and row.granted_on <= on:
        return "active"
    if row.applied_on and row.applied_on <= on:
        return "applied"
    return "not_yet" if row.applied_on or row.granted_on else "not_established"


def timeline(policy):
    return [(step.kind, step.date) for step in policy.milestones.all()]


COMPUTED = {
    (Policy, "status"): lambda policy: policy_status(timeline(policy), ON),
    (Authorisation, "status"): authorisation_status,
}


# Every filter of every resource


@every_resource
def test_each_filter_finds_what_its_words_say(world, client, resource):
    rows = [row for row in resource.queryset.all() if resource.holding_on is None or holds(row, ON)]
    asked = set()

    for name, declared in resource.filterset_class.declared_filters.items():
        declared.model = resource.queryset.model
        for suffix, value, condition in cases(declared, name, rows):
            if name + suffix not in resource.filterset_class.base_filters:
                continue
            asked.add(name + suffix)
            wanted = sorted(getattr(row, resource.key) for row in rows if condition(row))
            found = keys(client, f"{resource.collection}/", resource.key, on=ON, **{name + suffix: value})
            assert sorted(found) == wanted, (name + suffix, value)

    assert asked == set(resource.filterset_class.base_filters)


@every_resource
def test_filters_together_find_what_meets_them_all(world, client, resource):
    random = Random(7)
    rows = [row for row in resource.queryset.all() if resource.holding_on is None or holds(row, ON)]
    possible = [
        (name, name + suffix, value, condition)
        for name, declared in resource.filterset_class.declared_filters.items()
        for suffix, value, condition in cases(declared, name, rows)
        if name + suffix in resource.filterset_class.base_filters
    ]

    for _ in range(25):
        some = {name: each for name, *each in random.sample(possible, 3)}
        wanted = sorted(getattr(row, resource.key) for row in rows if all(met(row) for _, _, met in some.values()))
        sent = {parameter: value for parameter, value, _ in some.values()}
        assert sorted(keys(client, f"{resource.collection}/", resource.key, on=ON, **sent)) == wanted, sent


@every_resource
def test_total_equals_the_rows_walked_and_no_row_comes_twice(world, client, resource):
    for name, declared in resource.filterset_class.declared_filters.items():
        if isinstance(declared, Reference) and (declared.model, name) != (Policy, "applies_in"):
            known = {key for row in resource.queryset.all() for key in related(declared, name, row)}
            sent = {name: ",".join(sorted(known)), "fields": resource.key, "page_size": 3}
            [count, *_], walked = zip(
                *((page["count"], page["results"]) for page in walk(client, f"{resource.collection}/", **sent)),
                strict=True,
            )
            found = [row[resource.key] for rows in walked for row in rows]
            assert len(found) == len(set(found)) == count
            assert count


def test_no_filter_repeats_a_row(db, client):
    policy, source = make_policy(slug="mica"), make_source(slug="gazette")
    regulator = make_regulator(slug="esma")
    for role in ("issuer", "supervisor", "enforcer"):
        make_policy_regulator(policy=policy, regulator=regulator, role=role)
    for page in ("1", "2"):
        make_citation(policy=policy, source=source, locator=page)

    assert keys(client, "policies/", regulator="esma", source="gazette") == ["mica"]


# The status of policies


steps = st.tuples(st.sampled_from(Milestone.Kind.values), st.integers(0, 5))
timelines = st.lists(st.lists(steps, max_size=6), min_size=1, max_size=8)
# The database is put back after the test, and emptied before each example.
on_the_database = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def make_timelines(drawn):
    Policy.objects.all().delete()
    place = Jurisdiction.objects.first() or make_jurisdiction()
    made = {}
    for number, drawn_steps in enumerate(drawn):
        policy = make_policy(slug=f"policy-{number}", jurisdiction=place)
        made[policy.slug] = [(kind, ON + timedelta(day)) for kind, day in drawn_steps]
        for kind, day in made[policy.slug]:
            make_milestone(policy=policy, kind=kind, date=day)
    return made


@on_the_database
@given(drawn=timelines, day=st.integers(-1, 6))
def test_status_is_what_the_timeline_says_on_the_day(db, client, drawn, day):
    on = ON + timedelta(day)
    wanted = {slug: policy_status(steps, on) for slug, steps in make_timelines(drawn).items()}

    shown = ask(client, "policies/", on=on, page_size=200)["results"]

    assert {row["slug"]: row["status"]["code"] for row in shown} == wanted
    assert dict(Policy.objects.with_status(on).values_list("slug", "status")) == wanted
    assert {policy.slug for policy in Policy.objects.in_force(on)} == {s for s in wanted if wanted[s] == "in_force"}
    for word in PolicyStatus.values:
        assert set(keys(client, "policies/", status=word, on=on)) == {s for s in wanted if wanted[s] == word}
        assert set(keys(client, "policies/", status__not=word, on=on)) == {s for s in wanted if wanted[s] != word}


@on_the_database
@given(drawn=timelines)
def test_dates_of_a_policy_are_those_of_its_timeline(db, client, drawn):
    made = make_timelines(drawn)

    for row in ask(client, "policies/", page_size=200)["results"]:
        steps = made[row["slug"]]
        effects = [day for kind, day in steps if kind in EFFECT]
        ends = [day for kind, day in steps if kind in LOSS - {"suspended"}]
        lost = ends and effects and max(ends) >= max(effects)
        assert row["introduced_on"] == earliest(day for _, day in steps)
        assert row["effective_from"] == earliest(effects)
        assert row["effective_until"] == (max(ends).isoformat() if lost else None)


def earliest(days):
    return min((day.isoformat() for day in days), default=None)


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2024-06-29", "published"),
        ("2024-06-30", "in_force"),
        ("2024-12-30", "in_force"),
        ("2024-12-31", "repealed"),
        ("2025-01-01", "repealed"),
    ],
)
def test_policy_is_in_force_from_its_first_day_until_the_day_before_its_repeal(db, client, day, status):
    policy = make_policy(slug="mica")
    make_milestone(policy=policy, kind="published", date=date(2023, 6, 9))
    make_milestone(policy=policy, kind="in_force", date=date(2024, 6, 30))
    make_milestone(policy=policy, kind="repealed", date=date(2024, 12, 31))

    assert keys(client, "policies/", status=status, on=day) == ["mica"]
    assert keys(client, "policies/", status__not=status, on=day) == []
    assert ask(client, "policies/mica/", on=day)["status"]["code"] == status


# The status of authorisations


dates = st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=3, max_size=3)


def is_forward(drawn):
    known = [day for day in drawn if day is not None]
    return known == sorted(known)


@on_the_database
@given(drawn=st.lists(dates.filter(is_forward), min_size=1, max_size=8), day=st.integers(-1, 5))
def test_status_of_an_authorisation_is_what_its_dates_say_on_the_day(db, client, drawn, day):
    Authorisation.objects.all().delete()
    on, place, company = ON + timedelta(day), make_jurisdiction(), make_company()
    for number, days in enumerate(drawn):
        applied, granted, ended = (None if each is None else ON + timedelta(each) for each in days)
        make_authorisation(
            key=f"licence-{number}",
            company=company,
            jurisdiction=place,
            applied_on=applied,
            granted_on=granted,
            ended_on=ended,
        )
    wanted = {row.key: authorisation_status(row, on) for row in Authorisation.objects.all()}

    shown = ask(client, "authorisations/", on=on, page_size=200)["results"]

    assert {row["key"]: row["status"]["code"] for row in shown} == wanted
    assert {row.key for row in Authorisation.objects.active(on)} == {k for k in wanted if wanted[k] == "active"}
    for word in AuthorisationStatus.values:
        found = keys(client, "authorisations/", "key", status=word, on=on)
        others = keys(client, "authorisations/", "key", status__not=word, on=on)
        assert set(found) == {key for key in wanted if wanted[key] == word}
        assert set(others) == wanted.keys() - set(found)


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2024-01-31", "applied"),
        ("2024-02-01", "active"),
        ("2024-02-29", "active"),
        ("2024-03-01", "ended"),
    ],
)
def test_authorisation_is_active_from_its_grant_until_the_day_before_its_end(db, client, day, status):
    make_authorisation(
        key="licence", applied_on=date(2024, 1, 1), granted_on=date(2024, 2, 1), ended_on=date(2024, 3, 1)
    )

    assert keys(client, "authorisations/", "key", status=status, on=day) == ["licence"]


# What holds on a day


@pytest.mark.parametrize(
    ("day", "found"),
    [("2024-01-31", []), ("2024-02-01", ["stance"]), ("2024-02-29", ["stance"]), ("2024-03-01", [])],
)
def test_stance_holds_from_its_first_day_until_the_day_before_its_end(db, client, day, found):
    make_stance(key="stance", valid_from=date(2024, 2, 1), valid_until=date(2024, 3, 1))

    assert keys(client, "stances/", "key", on=day) == found


def test_stance_without_a_known_start_or_end_holds_for_ever(db, client):
    make_stance(key="stance")

    assert keys(client, "stances/", "key", on="0001-01-01") == ["stance"]
    assert keys(client, "stances/", "key", on="9999-12-31") == ["stance"]


def test_stances_of_all_days_are_listed_while_no_day_is_asked_about(world, client):
    assert ask(client, "stances/")["count"] == Stance.objects.count()


# Whose law reaches where


@pytest.mark.parametrize(
    ("day", "found"),
    [("1972-12-31", []), ("1973-01-01", ["act"]), ("2020-12-31", ["act"]), ("2021-01-01", [])],
)
def test_union_law_reached_britain_from_accession_until_the_transition_ended(db, client, day, found):
    union = make_jurisdiction(code="EU", kind="supranational")
    make_membership(
        member=make_jurisdiction(code="GB"), bloc=union, valid_from=date(1973, 1, 1), valid_until=date(2021, 1, 1)
    )
    make_policy(slug="act", jurisdiction=union)

    assert keys(client, "policies/", applies_in="GB", on=day) == found


@pytest.mark.parametrize("day", ["1997-06-30", "1997-07-01", "2024-01-01"])
def test_chinese_law_does_not_reach_hong_kong_although_it_is_a_part(db, client, day):
    china = make_jurisdiction(code="CN")
    hong_kong = make_jurisdiction(code="HK", kind="territory", parent=china)
    make_membership(member=hong_kong, bloc=china, valid_from=date(1997, 7, 1), law_applies=False)
    make_policy(slug="chinese", jurisdiction=china)
    make_policy(slug="own", jurisdiction=hong_kong)

    assert keys(client, "policies/", applies_in="HK", on=day) == ["own"]


def test_law_of_a_bloc_reaches_the_parts_of_its_members(db, client):
    union, germany, bavaria = (make_jurisdiction(code=code) for code in ("EU", "DE", "DE-BY"))
    make_membership(member=germany, bloc=union)
    make_membership(member=bavaria, bloc=germany)
    for place in (union, germany, bavaria):
        make_policy(slug=place.code.lower(), jurisdiction=place)

    assert sorted(keys(client, "policies/", applies_in="DE-BY")) == ["de", "de-by", "eu"]
    assert sorted(keys(client, "policies/", applies_in="DE")) == ["de", "eu"]
    assert keys(client, "policies/", applies_in="EU") == ["eu"]


def test_white_paper_is_found_by_the_company_that_published_it(db, client):
    issuer = make_company(slug="lech-token", name="Lech Token")
    make_source(slug="lech-paper", kind="white_paper", publishing_company=issuer)
    make_source(slug="news")

    [paper] = ask(client, "sources/", publishing_company="lech-token")["results"]

    assert (paper["slug"], paper["kind"]["code"]) == ("lech-paper", "white_paper")
    assert (paper["publisher"]["type"], paper["publisher"]["slug"]) == ("company", "lech-token")
    assert keys(client, "sources/", publishing_company__isnull="true") == ["news"]
    assert keys(client, "sources/", kind="white_paper") == ["lech-paper"]
