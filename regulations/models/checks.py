"""What can be wrong, or missing, although every constraint is kept: the questions that a check of the data asks.

A fault is a statement that cannot be right; a gap is something that we do not know yet.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.apps import apps
from django.db.models import Exists, F, Func, Model, OuterRef, Q, QuerySet

from regulations.models.bodies import Organisation, Regulator
from regulations.models.citations import CITABLE, Citation
from regulations.models.companies import Company
from regulations.models.contradictions import CONTRADICTIONS
from regulations.models.jurisdictions import DateRange, Jurisdiction, Membership
from regulations.models.people import Appointment, Person
from regulations.models.provisions import Provision
from regulations.models.sources import Mention, Source
from regulations.models.stances import Stance
from regulations.models.topics import Topic

# What a reader asks first about a country; the first two answer one question.
MAIN_TOPICS = [
    ("legal-status", "exchange"),
    ("licensing",),
    ("aml-cft",),
    ("stablecoin-issuance",),
    ("taxation",),
    ("custody",),
]
# These rest on the citations of the policy that they belong to.
CITED_WITH_THEIR_POLICY = ["provision", "policy_relation"]


class Kind:
    """The kinds of check, in the order of a report."""

    UNCITED = "Records without citation"
    DANGLING = "References to nothing"
    CONTRADICTION = "Statuses that contradict their dates"
    OVERLAP = "Spans that overlap"
    GAP = "Gaps"
    FAULTS = (UNCITED, DANGLING, CONTRADICTION, OVERLAP)


@dataclass(frozen=True)
class Check:
    """One question about the data. `find` takes the day that is asked about and costs one query."""

    kind: str
    about: str
    find: Callable[[date], Iterable[Model | str]]

    @property
    def is_fault(self) -> bool:
        """Whether what it finds cannot be right, rather than being not known yet."""
        return self.kind in Kind.FAULTS
