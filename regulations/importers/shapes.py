"""How the records stand in the files of `fixtures/`: which kinds there are, and what belongs to each.

Fields have the names of the models' fields, so the models' help texts are the data dictionary.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from django.contrib.postgres.fields import ArrayField
from django.db.models import Field, ForeignKey, JSONField, ManyToManyField, Model

from regulations import models
from regulations.models.citations import CITABLE
from regulations.models.provisions import DEEPEST

AnyField: TypeAlias = "Field[Any, Any]"
AnyKey: TypeAlias = "ForeignKey[Any, Any]"
AnyKeys: TypeAlias = "ManyToManyField[Any, Any]"


@dataclass(frozen=True)
class Shape:
    """One kind of row.

    kind: the name of its list in the files.
    identity: the fields by which a second load knows the row again, beside its owner; none means that it is
    replaced by another when anything in it changes.
    owner: the foreign key to the row that it is a part of; empty for a record that stands by itself.
    inherited: foreign keys that it has from its owner.
    short: the field that is meant where a plain word stands instead of a row.
    unused: fields that its place in the file tells.
    empty: those of them that are empty for a row in this place.
    parts: the lists of rows that belong to it.
    """

    kind: str
    model: type[Model]
    identity: tuple[str, ...] = ()
    owner: str = ""
    inherited: tuple[str, ...] = ()
    short: str = ""
    unused: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    parts: tuple["Shape", ...] = ()

    @cached_property
    def fields(self) -> dict[str, AnyField]:
        """The fields that a row may give, by name; a date's precision is read from how the date is written."""
        untold = {self.owner, "position", *self.inherited, *self.unused}
        return {
            field.name: field
            for field in self.model._meta.fields
            if field.editable
            and not field.primary_key
            and field.name not in untold
            and not field.name.endswith("_precision")
        }

    @cached_property
    def references(self) -> dict[str, AnyKey]:
        """Those of the fields that name another record."""
        return {name: field for name, field in self.fields.items() if isinstance(field, ForeignKey)}

    @cached_property
    def lists(self) -> dict[str, AnyKeys]:
        """The fields that name any number of other records."""
        return {field.name: field for field in self.model._meta.many_to_many if through_of(field)._meta.auto_created}

    @cached_property
    def is_ordered(self) -> bool:
        """Whether its place in the list is kept in `position`."""
        return any(field.name == "position" for field in self.model._meta.fields)

    def has_precision(self, name: str) -> bool:
        """Whether the date of this name may be a month or a year."""
        return any(field.name == f"{name}_precision" for field in self.model._meta.fields)

    def part(self, name: str) -> "Shape | None":
        """The shape of its rows of this kind, if there are such."""
        return next((part for part in self.parts if part.kind == name), None)

    @cached_property
    def words(self) -> list[str]:
        """All that a row of this shape may say."""
        return [*self.fields, *self.lists, *(part.kind for part in self.parts)]


def through_of(field: AnyKeys) -> type[Model]:
    """The model whose rows are the links of a many-to-many field."""
    through = field.remote_field.through
    assert through is not None
    return through


def is_list_of_text(field: AnyField) -> bool:
    return isinstance(field, ArrayField | JSONField)


def _citations(owner: str) -> Shape:
    return Shape(
        "citations",
        models.Citation,
        identity=("source", "locator", "fields"),
        owner=owner,
        short="source",
        unused=tuple(CITABLE),
    )


def _provisions(depth: int = 1) -> Shape:
    """The parts of a policy; at `depth` 2 and more, the parts of a part."""
    below = (_provisions(depth + 1),) if depth < DEEPEST else ()
    return Shape(
        "children" if depth > 1 else "provisions",
        models.Provision,
        identity=("position",),
        owner="parent" if depth > 1 else "policy",
        inherited=("policy",) if depth > 1 else (),
        unused=("policy", "parent"),
        empty=() if depth > 1 else ("parent",),
        parts=(_citations("provision"), *below),
    )


# In the order in which they can be written: what is referred to comes first.
SHAPES = [
    Shape("topics", models.Topic, ("slug",)),
    Shape(
        "jurisdictions",
        models.Jurisdiction,
        ("code",),
        parts=(_citations("jurisdiction"),),
    ),
    Shape(
        "memberships",
        models.Membership,
        ("member", "bloc", "valid_from"),
        parts=(_citations("membership"),),
    ),
    Shape("regulators", models.Regulator, ("slug",), parts=(_citations("regulator"),)),
    Shape(
        "organisations",
        models.Organisation,
        ("slug",),
        parts=(_citations("organisation"),),
    ),
    Shape(
        "sources",
        models.Source,
        ("slug",),
        parts=(
            Shape("related", models.SourceRelation, owner="source", short="target"),
            Shape("mentions", models.Mention, owner="source"),
        ),
    ),
    Shape(
        "policies",
        models.Policy,
        ("slug",),
        parts=(
            Shape("regulators", models.PolicyRegulator, owner="policy"),
            Shape(
                "milestones",
                models.Milestone,
                ("key",),
                owner="policy",
                parts=(_citations("milestone"),),
            ),
            _provisions(),
            Shape(
                "relations",
                models.PolicyRelation,
                ("kind", "target"),
                owner="policy",
                parts=(_citations("policy_relation"),),
            ),
            _citations("policy"),
        ),
    ),
    Shape(
        "companies",
        models.Company,
        ("slug",),
        parts=(
            Shape("names", models.CompanyName, owner="company"),
            Shape("identifiers", models.CompanyIdentifier, owner="company"),
            Shape(
                "relations",
                models.CompanyRelation,
                ("kind", "target", "valid_from"),
                owner="company",
                parts=(_citations("company_relation"),),
            ),
            _citations("company"),
        ),
    ),
    Shape(
        "authorisations",
        models.Authorisation,
        ("key",),
        parts=(_citations("authorisation"),),
    ),
    Shape(
        "enforcement_actions",
        models.EnforcementAction,
        ("slug",),
        parts=(
            Shape("domains", models.EnforcementDomain, owner="action"),
            Shape("names", models.EnforcementName, owner="action"),
            _citations("enforcement_action"),
        ),
    ),
    Shape(
        "measures",
        models.Measure,
        ("slug",),
        parts=(
            Shape("applies_to", models.MeasureEffect, owner="measure"),
            _citations("measure"),
        ),
    ),
    Shape("stances", models.Stance, ("key",), parts=(_citations("stance"),)),
    Shape(
        "people",
        models.Person,
        ("slug",),
        parts=(
            Shape(
                "appointments",
                models.Appointment,
                ("regulator", "organisation", "company", "title", "valid_from"),
                owner="person",
                parts=(_citations("appointment"),),
            ),
            _citations("person"),
        ),
    ),
    Shape(
        "events",
        models.Event,
        ("slug",),
        parts=(
            Shape("steps", models.EventStep, owner="event"),
            Shape("organisers", models.EventOrganiser, owner="event"),
            _citations("event"),
        ),
    ),
    Shape("figures", models.Figure, ("key",)),
]
