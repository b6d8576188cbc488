"""What the pages say when something is wrong, and what they fill in."""

from datetime import date
from threading import Thread
from time import sleep

import psycopg
import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from regulations.models import (
    Authorisation,
    Citation,
    Company,
    Figure,
    Jurisdiction,
    Membership,
    Milestone,
    Policy,
    Provision,
    Regulator,
    Stance,
)
from tests.admin.pages import add_page, change_page, changelist, errors_of, form_of, row_errors_of
from tests.conftest import connected_to, database_url
from tests.factories import (
    make_citation,
    make_company,
    make_event,
    make_jurisdiction,
    make_measure,
    make_membership,
    make_milestone,
    make_policy,
    make_policy_relation,
    make_provision,
    make_regulator,
    make_source,
    make_stance,
    make_topic,
)

pytestmark = pytest.mark.django_db


def fill(client, url, **values):
    """Send the page's form with some values changed."""
    return client.post(url, form_of(client.get(url)) | values)


def row(prefix, number=0, **values):
    """Return one added row of a page; rows count from 0."""
    return {f"{prefix}-TOTAL_FORMS": number + 1} | {
        f"{prefix}-{number}-{name}": value for name, value in values.items()
    }


def test_overlapping_stance_is_refused_at_its_first_day(admin_client):
    stance = make_stance(valid_from=date(2020, 1, 1))

    page = fill(
        admin_client,
        add_page(Stance),
        jurisdiction=stance.jurisdiction.pk,
        topic=stance.topic.pk,
        stance="prohibited",
        valid_from="2024-01-01",
    )

    assert errors_of(page) == {
        "valid_from": ["Another stance of this jurisdiction on this topic covers some of these days."]
    }


def test_stance_that_begins_on_the_day_another_ends_is_taken_with_a_key_of_its_own(admin_client):
    stance = make_stance(topic=make_topic(slug="custody"), valid_from=date(2020, 1, 1), valid_until=date(2024, 1, 1))

    fill(
        admin_client,
        add_page(Stance),
        jurisdiction=stance.jurisdiction.pk,
        topic=stance.topic.pk,
        stance="prohibited",
        valid_from="2024-01-01",
    )

    assert Stance.objects.get(stance="prohibited").key == f"{stance.jurisdiction.code.lower()}-custody-2024"


@pytest.mark.parametrize("until", ["2023-12-31", "2024-01-01"])
def test_span_that_does_not_run_forward_is_refused_at_its_end(until, admin_client):
    page = fill(
        admin_client,
        add_page(Stance),
        jurisdiction=make_jurisdiction().pk,
        topic=make_topic().pk,
        stance="permitted",
        valid_from="2024-01-01",
        valid_until=until,
    )

    assert errors_of(page) == {"valid_until": ["Must be after “valid from”."]}


def test_overlapping_membership_inside_a_page_is_refused_at_its_first_day(admin_client):
    membership = make_membership(valid_from=date(2020, 1, 1))

    page = fill(
        admin_client,
        change_page(membership.member),
        **row("memberships", 1, bloc=membership.bloc.pk, valid_from="2021-01-01", law_applies="on"),
    )

    assert row_errors_of(page) == [{"valid_from": ["Another membership of the same bloc covers some of these days."]}]


def test_two_overlapping_rows_sent_at_once_are_refused_in_words(admin_client):
    country, bloc = make_jurisdiction(), make_jurisdiction()
    new = {"bloc": bloc.pk, "valid_from": "2021-01-01", "law_applies": "on"}

    page = fill(admin_client, change_page(country), **row("memberships", 0, **new) | row("memberships", 1, **new))

    assert page.status_code == 200
    assert errors_of(page) == {
        "": ["Membership: “valid from”: another membership of the same bloc covers some of these days."]
    }
    assert Membership.objects.count() == 0


def test_month_that_is_not_its_first_day_is_refused_at_the_date(admin_client):
    policy = make_policy()

    page = fill(
        admin_client,
        change_page(policy),
        **row("milestones", kind="adopted", date="2024-05-17", date_precision="month"),
    )

    assert row_errors_of(page) == [{"date": ["Write a month as its first day and a year as its 1 January."]}]


@pytest.mark.parametrize("day", ["17/05/2024", "05/17/2024", "2024-02-30", "soon", "2024"])
def test_day_in_another_form_is_refused_with_an_example(day, admin_client):
    page = fill(admin_client, change_page(make_event()), starts_on=day)

    assert errors_of(page) == {"starts_on": ["Write the day as year, month and day, such as 2025-02-19."]}


def test_lei_with_wrong_check_digits_is_refused(admin_client):
    page = fill(admin_client, change_page(make_company()), lei="5493000LM0MZ4JPMGM91")

    assert "check digits" in errors_of(page)["lei"][0]


def test_company_without_lei_is_no_duplicate_of_another(admin_client):
    make_company()

    for name in ["First", "Second"]:
        assert fill(admin_client, add_page(Company), name=name).status_code == 302
    assert list(Company.objects.filter(name__in=["First", "Second"]).values_list("lei", flat=True)) == [None, None]


def test_currency_without_amount_is_refused_at_the_amount(admin_client):
    page = fill(admin_client, change_page(make_event()), prize_currency="USD")

    assert errors_of(page) == {
        "prize_amount": ["Give an amount of zero or more together with “prize currency”, or neither."]
    }


def test_key_in_use_is_refused_at_the_key(admin_client):
    make_policy(slug="eu-mica")

    page = fill(
        admin_client,
        add_page(Policy),
        slug="eu-mica",
        title="MiCA",
        kind="regulation",
        jurisdiction=make_jurisdiction().pk,
    )

    assert errors_of(page) == {"slug": ["Policy with this Slug already exists."]}


def test_key_never_changes_once_the_record_exists(admin_client):
    policy = make_policy(slug="eu-mica")

    fill(admin_client, change_page(policy), slug="other", title="Other")

    policy.refresh_from_db()
    assert (policy.slug, policy.title) == ("eu-mica", "Other")


def test_missing_keys_are_proposed_from_what_the_record_says(admin_client):
    place = make_jurisdiction(code="HK")
    regulator = make_regulator(slug="hk-sfc", jurisdiction=place)
    company = make_company(slug="osl")

    fill(admin_client, add_page(Policy), title="Stablecoins Ordinance", kind="statute", jurisdiction=place.pk)
    fill(
        admin_client,
        add_page(Regulator),
        name="Monetary Authority",
        abbreviation="HKMA",
        jurisdiction=place.pk,
        kind="central_bank",
    )
    for _ in range(2):
        fill(
            admin_client,
            add_page(Authorisation),
            company=company.pk,
            regulator=regulator.pk,
            jurisdiction=place.pk,
            kind="in_principle",
        )
    fill(
        admin_client,
        add_page(Figure),
        company=company.pk,
        metric="Monthly visits",
        value="8",
        unit="million visits",
        as_of="2022-07-01",
        source=make_source().pk,
    )

    assert Policy.objects.get().slug == "hk-stablecoins-ordinance"
    assert Regulator.objects.get(abbreviation="HKMA").slug == "hk-hkma"
    assert list(Authorisation.objects.order_by("key").values_list("key", flat=True)) == [
        "osl-hk-sfc-in-principle",
        "osl-hk-sfc-in-principle-2",
    ]
    assert Figure.objects.get().key == "osl-monthly-visits-2022"


def test_steps_added_together_get_keys_apart(admin_client):
    policy = make_policy(slug="eu-mica")
    make_milestone(policy=policy, key="eu-mica-applies", kind="applies")

    fill(
        admin_client,
        change_page(policy),
        **row("milestones", 1, kind="applies", date="2024-06-30", date_precision="day")
        | row("milestones", 2, kind="applies", date="2024-12-30", date_precision="day"),
    )

    keys = Milestone.objects.order_by("key").values_list("key", flat=True)
    assert list(keys) == ["eu-mica-applies", "eu-mica-applies-2", "eu-mica-applies-3"]


def test_policy_is_made_whole_on_one_page(admin_client):
    place, regulator, source = make_jurisdiction(code="HK"), make_regulator(), make_source()

    saved = fill(
        admin_client,
        add_page(Policy),
        title="Roadmap",
        slug="hk-roadmap",
        kind="roadmap",
        jurisdiction=place.pk,
        **row("milestones", kind="announced", date="2025-02-01", date_precision="month"),
        **row("provisions", label="A", title="Access"),
        **row("policy_regulators", regulator=regulator.pk, role="issuer"),
        **row("citations", source=source.pk, read_on="2025-02-24", quote="five pillars"),
    )

    assert saved.status_code == 302, (errors_of(saved), row_errors_of(saved))
    policy = Policy.objects.get()
    assert policy.introduced_on == date(2025, 2, 1)
    assert [step.key for step in policy.milestones.all()] == ["hk-roadmap-announced"]
    assert [(part.position, part.title) for part in policy.provisions.all()] == [(1, "Access")]
    assert [(citation.method, citation.read_by) for citation in policy.citations.all()] == [("person", "admin")]


@pytest.mark.parametrize("page_of", [make_company, make_stance, make_milestone, make_policy_relation, make_membership])
def test_citation_is_added_on_the_page_of_what_it_supports(page_of, admin_client):
    record, source = page_of(), make_source()

    fill(admin_client, change_page(record), **row("citations", source=source.pk, locator="Art. 16"))

    citation = Citation.objects.get()
    assert (citation.record, citation.source, citation.read_by) == (record, source, "admin")


def test_same_citation_twice_is_refused_at_the_source(admin_client):
    citation = make_citation()

    page = fill(
        admin_client, change_page(citation.policy), **row("citations", 1, source=citation.source.pk, read_on="")
    )

    assert row_errors_of(page) == [{"source": ["The record cites this source for these fields already."]}]


def test_same_citation_twice_in_one_go_is_refused_in_words(admin_client):
    new = {"source": make_source().pk, "locator": "Art. 1"}

    page = fill(admin_client, change_page(make_policy()), **row("citations", 0, **new) | row("citations", 1, **new))

    assert page.status_code == 200
    assert errors_of(page) == {"": ["Citation: source: the record cites this source for these fields already."]}


def test_citation_of_a_field_that_does_not_exist_is_refused_with_those_that_do(admin_client):
    page = fill(
        admin_client, change_page(make_policy()), **row("citations", source=make_source().pk, fields="titel\nsummary")
    )

    message = row_errors_of(page)[0]["fields"][0]
    assert message.startswith("No such field: titel.")
    assert "title" in message


def test_citation_of_nothing_or_of_two_records_is_refused(admin_client):
    source = make_source()

    nothing = fill(admin_client, add_page(Citation), source=source.pk)
    both = fill(admin_client, add_page(Citation), source=source.pk, policy=make_policy().pk, company=make_company().pk)

    assert errors_of(nothing)[""][0].startswith("Fill exactly one of jurisdiction")
    assert errors_of(both)[""][0].startswith("Fill exactly one of jurisdiction")


def test_part_of_another_policy_is_no_parent(admin_client):
    part, stranger = make_provision(), make_provision()

    page = fill(admin_client, change_page(part), parent=stranger.pk)

    assert errors_of(page) == {"parent": ["Choose a part of the same policy."]}


def test_parts_of_the_same_policy_only_are_offered_as_parents(admin_client):
    part, other = make_provision(title="Ours"), make_provision(title="Theirs")

    offers = admin_client.get(
        reverse("admin:autocomplete"),
        {"app_label": "regulations", "model_name": "provision", "field_name": "parent", "policy": part.policy.pk},
    ).json()["results"]

    assert [offer["text"] for offer in offers] == ["Ours"]
    assert f"policy={other.policy.pk}" in admin_client.get(change_page(other.policy)).content.decode()


def test_parts_stand_in_the_order_of_reading(admin_client):
    policy = make_policy()
    second = make_provision(policy=policy, position=2, title="B")
    first = make_provision(policy=policy, position=1, title="A")
    make_provision(policy=policy, parent=second, position=1, title="B1")
    make_provision(policy=policy, parent=first, position=10, title="A10")
    make_provision(policy=policy, parent=first, position=2, title="A2")

    page = admin_client.get(change_page(policy))

    formset = next(i.formset for i in page.context["inline_admin_formsets"] if i.formset.model is Provision)
    assert [form.instance.title for form in formset.initial_forms] == ["A", "A2", "A10", "B", "B1"]


def test_lists_are_written_one_item_a_line(admin_client):
    measure = make_measure()

    fill(
        admin_client,
        change_page(measure),
        data_collected="Name\r\n\r\n  Passport, or identity card \r\n",
        **row("applies_to", who="New users", closed="Deposits\nTrading"),
    )

    measure.refresh_from_db()
    assert measure.data_collected == ["Name", "Passport, or identity card"]
    assert measure.applies_to.get().closed == ["Deposits", "Trading"]
    assert "Name\nPassport, or identity card" in admin_client.get(change_page(measure)).content.decode()


def test_aims_of_a_part_are_written_one_a_line(admin_client):
    part = make_provision(aims=["open the market"])

    fill(admin_client, change_page(part), aims="open the market\nprotect investors")

    part.refresh_from_db()
    assert part.aims == ["open the market", "protect investors"]


def test_too_long_item_is_refused_with_its_line(admin_client):
    page = fill(admin_client, change_page(make_measure()), data_collected="Name\n" + "x" * 101)

    assert errors_of(page) == {"data_collected": ["Line 2 has 101 characters; 100 are the most."]}


@pytest.mark.parametrize(
    ("value", "message"), [("a\x00b", "Null characters are not allowed."), ("x" * 301, "at most 300 characters")]
)
def test_unusable_text_is_refused_at_its_field(value, message, admin_client):
    page = fill(admin_client, change_page(make_policy()), title=value)

    assert message in errors_of(page)["title"][0]


def test_nul_bytes_in_addresses_are_no_server_error(admin_client):
    look_up = {"app_label": "regulations", "model_name": "policy", "field_name": "jurisdiction"}

    assert admin_client.get(reverse("admin:autocomplete"), look_up | {"term": "a\x00b"}).status_code == 200
    assert admin_client.get(changelist(Policy), {"q": "a\x00b"}).status_code == 400
    assert admin_client.get(changelist(Policy), {"slug": "a\x00b"}).status_code == 400
    assert admin_client.get(changelist(Policy) + "a%00b/change/").status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        "jurisdiction__id__exact=x",
        "jurisdiction__id__exact=" + "9" * 40,
        "kind__in=nope",
        "status=nope",
        "p=99999",
        "o=99",
        "introduced_on__gte=soon",
        "effective_from_from=soon",
        "nonsense=1",
        "topics__id__exact=1&topics__id__exact=2",
    ],
)
def test_filters_in_the_address_that_make_no_sense_are_no_server_error(query, admin_client):
    assert admin_client.get(f"{changelist(Policy)}?{query}").status_code in {200, 302}


def test_protected_record_names_what_keeps_it(admin_client):
    regulator = make_regulator()
    for number in range(7):
        make_policy(title=f"Law {number}", jurisdiction=regulator.jurisdiction)
    url = reverse("admin:regulations_jurisdiction_delete", args=[regulator.jurisdiction.pk])

    page = admin_client.get(url).content.decode()
    admin_client.post(url, {"post": "yes"})

    assert "7 policies (jurisdiction):" in page
    assert "Law 1" in page
    assert "and 2 more" in page
    assert str(regulator) in page
    assert Jurisdiction.objects.filter(pk=regulator.jurisdiction.pk).exists()


def test_record_that_nothing_needs_is_deleted_with_its_evidence(admin_client):
    citation = make_citation()

    admin_client.post(reverse("admin:regulations_policy_delete", args=[citation.policy.pk]), {"post": "yes"})

    assert not Policy.objects.exists()
    assert not Citation.objects.exists()


def test_search_puts_the_nearest_first(admin_client):
    for slug, title, abbreviation in [
        ("a-notice", "Notice on MiCA", ""),
        ("mica-guide", "MiCA guide", ""),
        ("eu-mica", "Regulation on markets in crypto-assets", "MiCA"),
    ]:
        make_policy(slug=slug, title=title, abbreviation=abbreviation)

    page = admin_client.get(changelist(Policy), {"q": "mica"})

    assert [policy.slug for policy in page.context["cl"].result_list] == ["eu-mica", "mica-guide", "a-notice"]


def test_company_is_found_by_another_name_once(admin_client):
    company = make_company(name="KuCoin")
    company.names.create(name="Peken Global")
    company.names.create(name="Peken")

    page = admin_client.get(changelist(Company), {"q": "Peken"})

    assert list(page.context["cl"].result_list) == [company]


def test_lists_say_the_status_of_today(admin_client):
    make_milestone(kind="in_force", policy=make_policy(title="The living law"))

    page = admin_client.get(changelist(Policy), {"status": "in_force"}).content.decode()

    assert "The living law" in page
    assert "In force" in page
    assert "The living law" not in admin_client.get(changelist(Policy), {"status": "repealed"}).content.decode()


def test_page_says_where_the_api_has_the_record(admin_client):
    page = admin_client.get(change_page(make_policy(slug="eu-mica"))).content.decode()

    assert 'href="/api/v1/policies/eu-mica/"' in page


def test_record_of_the_company_page_is_begun_with_the_company(admin_client):
    company = make_company()

    url = f"{add_page(Authorisation)}?company={company.pk}"

    assert url in admin_client.get(change_page(company)).content.decode()
    assert form_of(admin_client.get(url))["company"] == [str(company.pk)]


@pytest.fixture
def editor(committed, django_user_model):
    """A client whose `save` posts a page's form in a thread, and puts the answer into the list that it returns."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("editor"))

    def save(url, **values):
        form, answers = form_of(client.get(url)) | values, []

        def post():
            with connected_to(committed):
                answers.append(client.post(url, form))

        thread = Thread(target=post)
        thread.start()
        return thread, answers

    return save


def test_editor_who_has_to_give_way_to_another_saves_all_the_same(committed, editor):
    step = make_milestone(note="As it was")

    with psycopg.connect(database_url(committed)) as another:
        # It is the other one that PostgreSQL looks at first.
        another.execute("SET deadlock_timeout = '20s'")
        another.execute("SELECT FROM regulations_milestone WHERE id = %s FOR UPDATE", [step.pk])
        saving, answers = editor(change_page(step.policy), **{"title": "Renamed", "milestones-0-note": "Reworded"})
        wait_until_blocked(another)
        another.execute("SELECT FROM regulations_policy WHERE id = %s FOR UPDATE", [step.policy_id])
        another.commit()
        saving.join(timeout=20)

    assert [answer.status_code for answer in answers] == [302]
    step.refresh_from_db()
    assert (step.policy.title, step.note) == ("Renamed", "Reworded")
    assert len(list(get_messages(answers[0].wsgi_request))) == 1


def test_refusal_at_the_commit_is_told_and_no_success_before_it(committed, editor):
    step, elsewhere = make_milestone(note="As it was"), make_jurisdiction()

    with psycopg.connect(database_url(committed)) as another:
        another.execute("SELECT FROM regulations_milestone WHERE id = %s FOR UPDATE", [step.pk])
        values = {"jurisdiction": elsewhere.pk, "milestones-0-note": "Reworded"}
        saving, answers = editor(change_page(step.policy), **values)
        wait_until_blocked(another)
        another.execute("DELETE FROM regulations_jurisdiction WHERE id = %s", [elsewhere.pk])
        another.commit()
        saving.join(timeout=20)

    [page] = answers
    assert page.status_code == 200
    assert "Nothing was saved" in page.content.decode()
    assert list(get_messages(page.wsgi_request)) == []
    step.refresh_from_db()
    assert step.note == "As it was"


def wait_until_blocked(connection):
    """Wait until another one waits for this connection."""
    asked = "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    for _ in range(1000):
        if connection.execute(asked).fetchall():
            return
        sleep(0.01)
    pytest.fail("nobody waits")
