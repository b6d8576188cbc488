"""The documents that are searched are kept by the database, whoever writes, and say what the records say."""

from importlib import import_module
from itertools import pairwise
from random import Random
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kbase.reading import clock
from regulations.api.urls import RESOURCES
from regulations.models import Company, CompanyName, Jurisdiction, Milestone, Policy, SearchDocument, SearchWord, Topic
from regulations.models.search import search_refreshed_at_end
from regulations.models.search_documents import DOCUMENTS
from tests.api.worlds import World
from tests.conftest import connected_to
from tests.factories import (
    make_company,
    make_jurisdiction,
    make_policy,
    make_provision,
    make_regulator,
    make_stance,
    make_topic,
)

SAID = [
    "collection",
    "record_id",
    "key",
    "title",
    "names",
    "related",
    "summary",
    "contents",
    "folded",
    "vector",
    "segment",
]


def run(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else None


def documents():
    return sorted(SearchDocument.objects.values_list(*SAID), key=lambda row: row[:2])


def document_of(record):
    return SearchDocument.objects.get(key=record.slug)


def assert_in_line():
    """The documents are those that would be made anew."""
    kept = documents()
    SearchDocument.objects.all().delete()
    run("SELECT regulations_rebuild_search()")
    assert documents() == kept


def test_every_collection_has_documents():
    assert [document.collection for document in DOCUMENTS] == [resource.collection for resource in RESOURCES]
    assert [f"regulations_{document.table}" for document in DOCUMENTS] == [
        resource.queryset.model._meta.db_table for resource in RESOURCES
    ]
    assert [document.key for document in DOCUMENTS] == [resource.key for resource in RESOURCES]


@pytest.mark.parametrize("many", [1, 101])
def test_plans_of_the_refresh_are_its_own(many, db):
    def plans():
        return run("SELECT name, setting FROM pg_settings WHERE name IN ('plan_cache_mode', 'enable_seqscan')")

    before = plans()
    for collection in [document.collection for document in DOCUMENTS]:
        run("SELECT regulations_refresh_search(%s, ARRAY(SELECT generate_series(1, %s)))", collection, many)
    assert plans() == before


def test_documents_of_the_whole_knowledge_are_in_line(knowledge):
    assert SearchDocument.objects.count() == sum(resource.queryset.count() for resource in RESOURCES) > 4000

    assert_in_line()


@pytest.mark.parametrize("seed", range(3))
def test_documents_stay_in_line_however_records_are_written(db, seed):
    random = Random(seed)
    World(random, size=6).fill()

    Policy.objects.filter(pk__in=random.sample(list(Policy.objects.values_list("pk", flat=True)), 3)).update(
        title="Renamed in bulk", summary="Written anew"
    )
    Jurisdiction.objects.update(name="Elsewhere")
    run("UPDATE regulations_topic SET name = name || ' (raw)'")
    run("UPDATE regulations_company SET name = 'Raw name ' || id")
    run("UPDATE regulations_person SET name = name || ' Junior'")
    run(
        "UPDATE regulations_appointment SET person_id = (SELECT min(id) FROM regulations_person)"
        " WHERE id = (SELECT max(id) FROM regulations_appointment)"
    )
    run("DELETE FROM regulations_policy_topics WHERE id % 2 = 0")
    run("DELETE FROM regulations_measureeffect")
    Milestone.objects.filter(pk=Milestone.objects.first().pk).delete()

    assert_in_line()


def test_name_changed_by_raw_sql_is_found_at_once_and_the_old_one_no_longer(db):
    company = make_company(slug="acme", name="Huobi")

    run("UPDATE regulations_company SET name = 'HTX' WHERE id = %s", company.pk)

    assert document_of(company).folded == ["acme", "htx"]
    assert document_of(company).title == "HTX"


def test_former_name_added_in_bulk_is_in_the_document(db):
    company = make_company(slug="acme", name="HTX")

    CompanyName.objects.bulk_create([CompanyName(company=company, name="Huobi Global", kind="former")])

    assert {"name": "Huobi Global", "kind": "former"} in document_of(company).names
    assert {"huobi global", "huobiglobal"} < set(document_of(company).folded)


def test_deleted_record_has_no_document(db):
    policy = make_policy(slug="gone")

    policy.delete()

    assert not SearchDocument.objects.filter(collection="policies").exists()


def test_renamed_jurisdiction_is_renamed_in_the_documents_of_its_records(db):
    place = make_jurisdiction(code="HK", name="Hongkong")
    policy = make_policy(slug="one", jurisdiction=place)
    regulator = make_regulator(slug="two", jurisdiction=place)

    Jurisdiction.objects.update(name="Hong Kong")

    assert "Hong Kong HK" in document_of(policy).related
    assert "Hong Kong HK" in document_of(regulator).related


def test_topic_given_and_taken_again_leaves_the_document_as_it_was(db):
    policy, topic = make_policy(slug="one"), make_topic(name="Custody")
    before = document_of(policy).vector

    policy.topics.add(topic)
    assert "Custody" in document_of(policy).contents
    policy.topics.remove(topic)

    assert document_of(policy).vector == before


def test_provision_of_a_policy_is_in_its_document(db):
    policy = make_policy(slug="one")
    part = make_provision(policy=policy, title="Reserve assets")

    assert "Reserve assets" in document_of(policy).contents
    part.delete()
    assert "Reserve assets" not in document_of(policy).contents


def test_title_of_a_stance_follows_what_it_is_about(db):
    stance = make_stance(jurisdiction=make_jurisdiction(name="Japan"), topic=make_topic(name="Staking"), stance="taxed")

    Topic.objects.update(name="Staking services")

    assert SearchDocument.objects.get(collection="stances", record_id=stance.pk).title == (
        "Japan on Staking services: taxed"
    )


def test_write_that_changes_no_word_keeps_the_document(db):
    company = make_company(slug="acme")
    before = run("SELECT xmin, ctid FROM regulations_searchdocument WHERE key = 'acme'")

    Company.objects.update(website="https://acme.example")

    assert document_of(company)
    # Locked and looked at, but not written: its row stands where it stood.
    assert run("SELECT ctid FROM regulations_searchdocument WHERE key = 'acme'") == [(before[0][1],)]


def test_words_are_plain_small_letters_of_any_script(db):
    cases = {
        "Société Générale–FORGE": "societe generale forge",
        "Straße, Ærø & Łódź": "strasse aero lodz",
        "People’s Bank": "peoples bank",
        "ＡＢＣ ①": "abc 1",
        "МОСКВА Ёлка": "москва елка",
        "가상자산・暗号資産": "가상자산 暗号資産",
        "  -- ": "",
    }

    assert {text: run("SELECT regulations_search_words(%s)", text)[0][0] for text in cases} == cases


def test_short_ways_to_plain_letters_lead_where_the_long_way_leads(db):
    """Each character that has a short way, within a word and alone, comes out as by its normal form."""
    usual = import_module("regulations.migrations.0006_search_in_bulk").USUAL
    differing = run(
        "SELECT n FROM generate_series(161, 55203) AS n, LATERAL (SELECT 'a' || chr(n) || 'b ' || chr(n)) AS one (text),"
        " LATERAL (SELECT normalize(regexp_replace(normalize(text, NFKD), '[\\u0300-\\u036f]', '', 'g'), NFKC)) AS long (way)"
        f" WHERE chr(n) ~ '[{usual}]' AND regulations_search_words(text) <> regulations_search_words(way)"
    )

    assert differing == []


def test_first_great_load_makes_the_indexes_of_words_at_its_end(db):
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename IN (%s, %s) ORDER BY 1"
    tables = ["regulations_searchdocument", "regulations_searchname"]
    usual = run(indexes, *tables)

    is_filling = run("SELECT regulations_begin_filling_search(5000)")[0][0]
    assert len(usual) == 9
    assert len(run(indexes, *tables)) == 1
    make_policy(slug="one")
    run("SELECT regulations_end_filling_search(%s)", is_filling)

    assert run(indexes, *tables) == usual
    assert run("SELECT regulations_begin_filling_search(1)") == [(False,)]
    assert run(indexes, *tables) == usual


def test_documents_are_spread_over_segments_that_grow(db):
    found = run(
        "SELECT regulations_search_segment('policies', n), count(*) FROM generate_series(1, 100000) AS n"
        " GROUP BY 1 ORDER BY 1"
    )

    assert [segment for segment, _ in found] == [1, 2, 3, 4, 5]
    sizes = [count for _, count in found]
    assert sizes[0] > 300
    assert all(2 <= size / before <= 5 for before, size in pairwise(sizes))


def test_names_are_those_of_the_documents(knowledge):
    Company.objects.filter(pk__in=Company.objects.all()[:5]).update(name="Renamed Exchange")
    Policy.objects.create(
        slug="new-act", title="New Act", jurisdiction=Jurisdiction.objects.first(), kind="statute"
    ).delete()

    kept = run("SELECT collection, record_id, name FROM regulations_searchname ORDER BY 1, 2, 3")

    assert kept == run(
        'SELECT collection, record_id, name COLLATE "C" FROM regulations_searchdocument, unnest(folded) AS name'
        " WHERE collection NOT IN ('authorisations', 'figures', 'milestones', 'stances') ORDER BY 1, 2, 3"
    )


def test_any_part_of_an_unspaced_text_is_a_phrase_of_its_pairs(db):
    assert run("SELECT regulations_search_grams('A가상자산 東京x')") == [("a 가상 상자 자산 산  東京 京 x",)]


def test_huge_text_is_no_obstacle(db):
    make_policy(slug="huge", summary=" ".join(f"word{number}" for number in range(150_000)) + "x" * 10_000)

    assert SearchDocument.objects.get(key="huge").vector


def test_words_that_were_ever_written_are_kept_with_their_stems(db):
    make_policy(title="Regulated stablecoins")

    assert set(SearchWord.objects.filter(stem__in=["regul", "stablecoin"]).values_list("word", flat=True)) == {
        "regulated",
        "stablecoins",
    }


def test_documents_as_of_a_moment_are_those_of_then(committed):
    company = make_company(slug="acme", name="Huobi")
    untouched = make_company(slug="other", name="Kraken")
    deleted = make_company(slug="gone", name="Mt. Gox")
    moment = timezone.now()
    run("UPDATE regulations_company SET name = 'HTX' WHERE id = %s", company.pk)
    deleted.delete()
    make_company(slug="new", name="Newcomer")

    with clock.known_at(moment):
        then = documents()

    now = {row[2]: row[3] for row in documents() if row[0] == "companies"}
    assert {row[2]: row[3] for row in then if row[0] == "companies"} == {
        "acme": "Huobi",
        "other": untouched.name,
        "gone": "Mt. Gox",
    }
    assert now == {"acme": "HTX", "other": "Kraken", "new": "Newcomer"}
    Company.objects.update(summary="Changed later")
    with clock.known_at(moment):
        assert documents() == then


def test_rename_and_new_record_at_the_same_time_both_count(committed):
    place = make_jurisdiction(code="HK", name="Hongkong")

    def rename():
        with connected_to(committed):
            Jurisdiction.objects.filter(pk=place.pk).update(name="Hong Kong")

    with transaction.atomic():
        policy = make_policy(slug="one", jurisdiction=place)
        renaming = Thread(target=rename)
        renaming.start()
        renaming.join(timeout=0.5)
        assert renaming.is_alive()
    renaming.join(timeout=20)

    assert "Hong Kong" in document_of(policy).related


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_documents_that_were_put_off_are_made_before_the_transaction_ends(committed, is_forgotten):
    with transaction.atomic():
        if is_forgotten:
            run("SELECT set_config('kbase.search_later', 'yes', true)")
            write_many()
        else:
            with search_refreshed_at_end():
                write_many()

    assert document_of(Policy.objects.get(slug="law")).related.endswith("Hong Kong HK")
    assert_in_line()


def write_many():
    place = make_jurisdiction(code="HK", name="Old")
    make_policy(slug="law", jurisdiction=place)
    make_policy(slug="gone", jurisdiction=place).delete()
    place.name = "Hong Kong"
    place.save()


def test_contents_of_all_documents_have_one_collation_so_that_a_migration_can_replace_the_views(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT attcollation::regcollation::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relkind = 'v' AND starts_with(relname, 'regulations_search_') AND attname = 'contents'"
            " AND relnamespace = current_schema()::regnamespace"
        )

        assert cursor.fetchall() == [('"default"',)]
