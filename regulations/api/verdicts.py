from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from kbase.reading.fields import Code
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.views import AnswerSerializer, Question, QuestionView, a_record
from regulations.api.citations import CitationSerializer
from regulations.api.evidence import DecisiveRecordSerializer, citations_of, shown
from regulations.api.refs import CompanyRef, JurisdictionRef, TopicRef
from regulations.models import Company, Jurisdiction, Topic
from regulations.models.verdicts import Case, Finding, Part, Reason, Verdict, judge

CAVEAT = (
    "This is no legal advice. It says what our records say: where they know of no permission, there may be one, and what "
    "they call permitted may have conditions that the cited sources tell."
)


class CheckReasonSerializer(serializers.Serializer):
    """Why the verdict is what it is."""

    code = serializers.ChoiceField(Reason.choices, help_text="The reason in one stable word.")
    sentence = serializers.CharField(help_text="The reason in words, with the records that decided.")


class CheckStepSerializer(serializers.Serializer):
    """One link of the chain that decided: without it the verdict or its reason would be another."""

    decided = Code(Part.choices, help_text="What the record decided.")
    record = DecisiveRecordSerializer()
    citations = CitationSerializer(many=True, help_text="The sources on which the record rests.")


class CheckSerializer(AnswerSerializer):
    """A verdict, the reason for it, and the chain of records that decided."""

    jurisdiction = JurisdictionRef()
    activity = TopicRef()
    company = CompanyRef(allow_null=True)
    verdict = Code(Verdict.choices, help_text="The answer.")
    reason = CheckReasonSerializer()
    chain = CheckStepSerializer(
        many=True, help_text="The records that decided, in their order; none if nobody has looked."
    )
    beside = DecisiveRecordSerializer(
        many=True,
        help_text="What other laws that reach the place say on the activity. It did not decide, and may apply too.",
    )
    caveat = serializers.CharField(help_text="What the answer is not.")


class CheckView(QuestionView):
    """May this activity be carried out here on this day, by anybody or by this company: a verdict with its records.

    Without a company the verdict is what the law says to all: `licence_required` then means that a permission is needed.
    With one it is what that means for the company: `permitted`, `permitted_by_passport` or `not_permitted`. Not
    established (looked for, not found) and not researched (nobody has looked) are answers of their own.
    """

    name = "check"
    parameters: ClassVar = {
        "jurisdiction": a_record(Jurisdiction, "The place, by its code.", key="code", is_required=True),
        "activity": a_record(Topic, "The activity: a topic of that kind.", is_required=True),
        "company": a_record(Company, "The company that wants to carry it out; left out: anybody."),
    }
    answer_class = CheckSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        case = _case(question)
        finding = judge(case)
        return {
            **_asked(case, question.root),
            "verdict": {"code": finding.verdict.value, "label": finding.verdict.label},
            "reason": {"code": finding.reason.value, "sentence": finding.sentence},
            "chain": _chain(finding, question),
            "beside": [shown(stance, question.root) for stance in finding.beside],
            "caveat": CAVEAT,
        }


def _case(question: Question) -> Case:
    activity = Topic.objects.get(pk=question.values["activity"])
    if activity.kind != Topic.Kind.ACTIVITY:
        detail = f"“{activity.slug}” is a theme; name an activity: topics/?kind=activity lists them."
        raise BadRequest([Fault("activity", "out_of_range", detail, _activities())])
    company = question.values["company"]
    return Case(
        place=Jurisdiction.objects.get(pk=question.values["jurisdiction"]),
        activity=activity,
        company=Company.objects.get(pk=company) if company else None,
        on=question.on,
    )


def _activities() -> tuple[str, ...]:
    return tuple(Topic.objects.filter(kind=Topic.Kind.ACTIVITY).values_list("slug", flat=True))


def _asked(case: Case, root: str) -> dict[str, Any]:
    context = {"root": root}
    return {
        "jurisdiction": JurisdictionRef(case.place, context=context).data,
        "activity": TopicRef(case.activity, context=context).data,
        "company": CompanyRef(case.company, context=context).data if case.company else None,
    }


def _chain(finding: Finding, question: Question) -> list[dict[str, Any]]:
    citations = citations_of([step.record for step in finding.chain], question)
    return [
        {
            "decided": {"code": step.part.value, "label": step.part.label},
            "record": shown(step.record, question.root),
            "citations": citations[step.record],
        }
        for step in finding.chain
    ]
