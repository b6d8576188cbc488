"""The questions of front ends, as of an earlier moment in our records: what we said then, whatever we say now."""

from datetime import date

import pytest
from django.test import Client

from regulations.models import Authorisation, Membership, Stance
from tests.api.asking import ask
from tests.api.test_two_clocks import moment_text, now
from tests.conftest import own_database
from tests.factories import (
    make_authorisation,
    make_citation,
    make_company,
    make_jurisdiction,
    make_membership,
    make_milestone,
    make_policy,
    make_stance,
    make_topic,
)

QUESTIONS = [
    ("jurisdictions/DE/profile/", {}),
    ("matrix/", {"jurisdiction": "DE", "compared_with": "2019-01-01"}),
    ("check/", {"jurisdiction": "DE", "activity": "custody", "company": "wallet"}),
    ("coverage/", {"jurisdiction": "DE"}),
]
every_question = pytest.mark.parametrize(("path", "sent"), QUESTIONS, ids=[path for path, _ in QUESTIONS])


@pytest.fixture(scope="module")
def corrected(django_db_setup, django_db_blocker, worker_id):
    """What each question was answered before our records were corrected, and the moment of it; then they are corrected."""
    with own_database(f"test_kbase_corrected_{worker_id}", django_db_setup, django_db_blocker):
        record()
        moment = now()
        said = {path: answer(path, sent) for path, sent in QUESTIONS}
        correct()
        yield moment, said


def record():
    """A company authorised in one member of a bloc, and asked about in another."""
    bloc, home, here = (make_jurisdiction(code=code) for code in ("EU", "AT", "DE"))
    bloc.kind = "supranational"
    bloc.save()
    for place in (home, here):
        make_citation(membership=make_membership(member=place, bloc=bloc))
    regime = make_policy(jurisdiction=bloc, kind="regulation")
    make_milestone(policy=regime, kind="applies", date=date(2020, 1, 1))
    activity = make_topic(slug="custody")
    make_citation(stance=make_stance(jurisdiction=bloc, topic=activity, stance="licence_required"))
    company = make_company(slug="wallet")
    held = make_authorisation(company=company, jurisdiction=home, policy=regime, granted_on=date(2021, 1, 1))
    held.activities.add(activity)
    make_citation(authorisation=held)


def correct():
    """Each link of the chain is another now."""
    Authorisation.objects.update(ended_on=date(2022, 1, 1))
    Stance.objects.update(stance="prohibited")
    Membership.objects.filter(member__code="DE").delete()
    make_stance(jurisdiction=make_jurisdiction(code="FR"))


def answer(path, sent, **clock):
    told = ask(Client(), path, on="2025-01-01", **sent, **clock)
    return {name: told[name] for name in told if name != "known_at"}


def without_urls(told):
    """Addresses of lists repeat the moment, so they differ between the clocks."""
    if isinstance(told, dict):
        return {name: without_urls(each) for name, each in told.items() if name != "url"}
    return [without_urls(each) for each in told] if isinstance(told, list) else told


@every_question
def test_question_as_of_a_moment_is_answered_as_it_was_then(corrected, path, sent):
    moment, said = corrected

    recalled = answer(path, sent, known_at=moment_text(moment))

    assert without_urls(recalled) == without_urls(said[path])
    assert without_urls(answer(path, sent)) != without_urls(said[path])


def test_verdict_as_of_a_moment_is_that_of_the_records_of_then(corrected):
    moment, _ = corrected
    path, sent = QUESTIONS[2]

    assert answer(path, sent, known_at=moment_text(moment))["verdict"]["code"] == "permitted_by_passport"
    assert answer(path, sent)["verdict"]["code"] == "not_researched"


def test_lists_of_a_profile_are_asked_as_of_its_moment(corrected):
    moment, _ = corrected
    path, _ = QUESTIONS[0]

    part = answer(path, {}, known_at=moment_text(moment))["policies"]["of_blocs_in_force"]

    assert "known_at=" in part["url"]
    assert Client().get(part["url"]).json()["count"] == part["count"] == 1
