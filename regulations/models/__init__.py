"""What is true: the records, the rules they obey, and the questions one can ask of them."""

from regulations.models.authorisation_facets import AuthorisationFacet
from regulations.models.authorisations import Authorisation, AuthorisationStatus
from regulations.models.bodies import Organisation, Regulator
from regulations.models.citations import Citation
from regulations.models.companies import (
    Company,
    CompanyIdentifier,
    CompanyName,
    CompanyRelation,
)
from regulations.models.enforcement_actions import EnforcementAction, EnforcementDomain, EnforcementName
from regulations.models.events import Event, EventOrganiser, EventStep
from regulations.models.evidence_tallies import EvidenceTally
from regulations.models.figures import Figure
from regulations.models.jurisdictions import Jurisdiction, Membership
from regulations.models.measures import Measure, MeasureEffect
from regulations.models.milestones import Milestone
from regulations.models.people import Appointment, Person
from regulations.models.policies import (
    Policy,
    PolicyRegulator,
    PolicyRelation,
    PolicyStatus,
)
from regulations.models.policy_facets import PolicyFacet
from regulations.models.policy_tallies import PolicyTally
from regulations.models.provisions import Provision
from regulations.models.record_evidence import RecordEvidence
from regulations.models.register_entries import Disagreement, RegisterEntry, Ruling
from regulations.models.registers import Extract, ImportCell, ImportChange, ImportRow, ImportRun
from regulations.models.revisions import Change, DataVersion, Revision, change
from regulations.models.search import SearchDocument, SearchWord
from regulations.models.sources import Mention, Source, SourceRelation
from regulations.models.stances import Stance
from regulations.models.topics import Topic

__all__ = [
    "Appointment",
    "Authorisation",
    "AuthorisationFacet",
    "AuthorisationStatus",
    "Change",
    "Citation",
    "Company",
    "CompanyIdentifier",
    "CompanyName",
    "CompanyRelation",
    "DataVersion",
    "Disagreement",
    "EnforcementAction",
    "EnforcementDomain",
    "EnforcementName",
    "Event",
    "EventOrganiser",
    "EventStep",
    "EvidenceTally",
    "Extract",
    "Figure",
    "ImportCell",
    "ImportChange",
    "ImportRow",
    "ImportRun",
    "Jurisdiction",
    "Measure",
    "MeasureEffect",
    "Membership",
    "Mention",
    "Milestone",
    "Organisation",
    "Person",
    "Policy",
    "PolicyFacet",
    "PolicyRegulator",
    "PolicyRelation",
    "PolicyStatus",
    "PolicyTally",
    "Provision",
    "RecordEvidence",
    "RegisterEntry",
    "Regulator",
    "Revision",
    "Ruling",
    "SearchDocument",
    "SearchWord",
    "Source",
    "SourceRelation",
    "Stance",
    "Topic",
    "change",
]
