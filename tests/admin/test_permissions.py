"""Who may see and do what."""

import pytest
from django.contrib.auth.models import Permission, User

from regulations.models import Policy
from tests.admin.pages import MODELS, add_page, change_page, changelist, form_of, make
from tests.factories import make_milestone, make_policy

pytestmark = pytest.mark.django_db
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def reader(client):
    """A client of someone on the staff who may view everything and change nothing."""
    person = User.objects.create_user("reader", password="x", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(person)
    return client


@every_model
def test_nobody_enters_without_log_in(model, client):
    for url in [changelist(model), add_page(model), change_page(make(model))]:
        assert client.get(url).headers["Location"].startswith("/admin/login/?next=")


@every_model
def test_who_is_not_on_the_staff_is_sent_to_log_in(model, client):
    client.force_login(User.objects.create_user("guest", password="x"))

    for url in [changelist(model), add_page(model), change_page(make(model))]:
        assert client.get(url).headers["Location"].startswith("/admin/login/?next=")


@every_model
def test_who_may_only_view_reads_everything_and_saves_nothing(model, reader):
    record = make(model)

    assert reader.get("/admin/").status_code == 200
    assert reader.get(changelist(model)).status_code == 200
    page = reader.get(change_page(record))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert reader.get(add_page(model)).status_code == 403
    assert reader.post(add_page(model), {}).status_code == 403
    assert reader.post(change_page(record), form_of(page)).status_code == 403


def test_who_may_only_view_cannot_slip_rows_into_a_page(reader):
    policy = make_policy()
    make_milestone(policy=policy)
    page = form_of(reader.get(change_page(policy)))

    reader.post(
        change_page(policy),
        page | {"milestones-TOTAL_FORMS": "2", "milestones-1-kind": "adopted", "milestones-1-date": "2024-01-01"},
    )

    assert policy.milestones.count() == 1


def test_staff_without_permission_sees_no_records(client):
    client.force_login(User.objects.create_user("newcomer", password="x", is_staff=True))

    assert client.get("/admin/").status_code == 200
    assert client.get(changelist(Policy)).status_code == 403
