"""Each kind of record as a small object: its key, its name, its address. Every resource refers to others by these."""

from typing import ClassVar

from kbase.reading.fields import Text, Url
from kbase.reading.serializers import SmallObject
from regulations import models


class JurisdictionRef(SmallObject):
    url = Url("jurisdictions", "code")

    class Meta:
        model = models.Jurisdiction
        fields: ClassVar = ["code", "name", "url"]
        whole = "regulations.api.jurisdictions.JurisdictionSerializer"


class RegulatorRef(SmallObject):
    url = Url("regulators", "slug")

    class Meta:
        model = models.Regulator
        fields: ClassVar = ["slug", "name", "url"]
        whole = "regulations.api.bodies.RegulatorSerializer"


class OrganisationRef(SmallObject):
    url = Url("organisations", "slug")

    class Meta:
        model = models.Organisation
        fields: ClassVar = ["slug", "name", "url"]
        whole = "regulations.api.bodies.OrganisationSerializer"


class TopicRef(SmallObject):
    url = Url("topics", "slug")

    class Meta:
        model = models.Topic
        fields: ClassVar = ["slug", "name", "url"]
        whole = "regulations.api.topics.TopicSerializer"


class PolicyRef(SmallObject):
    url = Url("policies", "slug")

    class Meta:
        model = models.Policy
        fields: ClassVar = ["slug", "title", "url"]
        whole = "regulations.api.policies.PolicySerializer"


class CompanyRef(SmallObject):
    url = Url("companies", "slug")

    class Meta:
        model = models.Company
        fields: ClassVar = ["slug", "name", "url"]
        whole = "regulations.api.companies.CompanySerializer"


class PersonRef(SmallObject):
    url = Url("people", "slug")

    class Meta:
        model = models.Person
        fields: ClassVar = ["slug", "name", "url"]
        whole = "regulations.api.people.PersonSerializer"


class EventRef(SmallObject):
    url = Url("events", "slug")

    class Meta:
        model = models.Event
        fields: ClassVar = ["slug", "name", "url"]
        whole = "regulations.api.events.EventSerializer"


class EnforcementActionRef(SmallObject):
    url = Url("enforcement-actions", "slug")

    class Meta:
        model = models.EnforcementAction
        fields: ClassVar = ["slug", "title", "url"]
        whole = "regulations.api.enforcement_actions.EnforcementActionSerializer"


class MeasureRef(SmallObject):
    url = Url("measures", "slug")

    class Meta:
        model = models.Measure
        fields: ClassVar = ["slug", "title", "url"]
        whole = "regulations.api.measures.MeasureSerializer"


class SourceRef(SmallObject):
    """Shows its public address too: evidence is read there, not here."""

    original_url = Text(source="url", help_text="The public address of the publication.")
    url = Url("sources", "slug")

    class Meta:
        model = models.Source
        fields: ClassVar = ["slug", "title", "published_on", "original_url", "url"]
        whole = "regulations.api.sources.SourceSerializer"
