"""The register that docs/importers.md adds is imported as it stands there."""

import re
from datetime import date

import pytest
from django.conf import settings

from regulations.importers.runs import preview, publish
from regulations.models import Authorisation


@pytest.fixture
def register(knowledge):
    """The module in the paper, and the file below it."""
    paper = (settings.BASE_DIR / "docs" / "importers.md").read_text()
    code, rows = (re.search(rf"```{kind}\n(.*?)```", paper, re.DOTALL)[1] for kind in ("python", "csv"))
    module = {}
    exec(code, module)
    return module["REGISTER"], rows.encode()


def test_the_register_in_the_paper_works_as_it_is_told(register):
    register, content = register
    run = preview(register, content, "register.csv", date(2026, 2, 9), "a test")

    publish(register, run.pk, "a test")

    held = Authorisation.objects.filter(policy__slug="li-tvtg", register_entries__register="li-tvtg").order_by("key")
    assert [(each.company.name, each.granted_on) for each in held] == [
        ("Alpine Tokens AG", date(2021, 3, 1)),
        ("Rhine Custody AG", None),
    ]
    assert run.quarantined_count == 1
