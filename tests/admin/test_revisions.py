"""Who changed what is told by the database, and read in the admin."""

import pytest
from django.urls import reverse

from regulations.models import Revision
from tests import factories
from tests.admin.pages import add_page, change_page, form_of

pytestmark = pytest.mark.django_db


def test_a_change_in_the_admin_is_written_down_with_the_editors_name(admin_client, admin_user):
    policy = factories.make_policy(title="Old")
    form = form_of(admin_client.get(change_page(policy)))

    admin_client.post(change_page(policy), {**form, "title": "New"})

    revision = Revision.objects.filter(table="regulations_policy", row_id=policy.pk).latest("pk")
    assert (revision.change.actor, revision.before["title"], revision.after["title"]) == (
        admin_user.username,
        "Old",
        "New",
    )


def test_a_deletion_in_the_admin_is_written_down_with_the_editors_name(admin_client, admin_user):
    topic = factories.make_topic(slug="gone")

    admin_client.post(reverse("admin:regulations_topic_delete", args=[topic.pk]), {"post": "yes"})

    revision = Revision.objects.filter(table="regulations_topic").latest("pk")
    assert (revision.change.actor, revision.before["slug"], revision.after) == (admin_user.username, "gone", None)


def test_revisions_are_read_and_never_written(admin_client):
    factories.make_topic()
    revision = Revision.objects.latest("pk")

    assert admin_client.get(reverse("admin:regulations_revision_changelist")).status_code == 200
    assert admin_client.get(change_page(revision)).status_code == 200
    assert admin_client.get(add_page(Revision)).status_code == 403
    assert admin_client.post(change_page(revision), {"reason": "Another"}).status_code == 403
