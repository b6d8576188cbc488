"""The addresses of the API. The order here is the order of its description."""

from django.urls import path

from kbase.reading.resources import ResourceRouter
from regulations.api.authorisations import AuthorisationResource
from regulations.api.bodies import OrganisationResource, RegulatorResource
from regulations.api.changes import ChangesView
from regulations.api.companies import CompanyResource
from regulations.api.coverage import CoverageView
from regulations.api.enforcement_actions import EnforcementActionResource
from regulations.api.events import EventResource
from regulations.api.figures import FigureResource
from regulations.api.graph import GraphView
from regulations.api.history import HistoryView
from regulations.api.jurisdictions import JurisdictionResource
from regulations.api.matrix import MatrixView
from regulations.api.measures import MeasureResource
from regulations.api.milestones import MilestoneResource
from regulations.api.people import PersonResource
from regulations.api.policies import PolicyResource
from regulations.api.profiles import ProfileView
from regulations.api.resolve import ResolveView
from regulations.api.screen import ScreenView
from regulations.api.search import DocumentSearch, SearchView, SuggestView
from regulations.api.sources import SourceResource
from regulations.api.stances import StanceResource
from regulations.api.timeline import TimelineCalendarView, TimelineFeedView, TimelineView
from regulations.api.topics import TopicResource
from regulations.api.verdicts import CheckView

RESOURCES = [
    JurisdictionResource,
    TopicResource,
    RegulatorResource,
    OrganisationResource,
    PolicyResource,
    MilestoneResource,
    StanceResource,
    CompanyResource,
    AuthorisationResource,
    EnforcementActionResource,
    MeasureResource,
    PersonResource,
    EventResource,
    SourceResource,
    FigureResource,
]

router = ResourceRouter(search=DocumentSearch)
for resource in RESOURCES:
    router.add(resource)

urlpatterns = [
    *router.urls,
    path("jurisdictions/<key>/profile/", ProfileView.as_view()),
    path("matrix/", MatrixView.as_view()),
    path("changes/", ChangesView.of_all(RESOURCES)),
    *(path(f"changes/{each.collection}/", ChangesView.of_one(each)) for each in RESOURCES),
    *(path(f"{each.collection}/<str:key>/history/", HistoryView.of(each)) for each in RESOURCES),
    path("check/", CheckView.as_view()),
    path("graph/<str:collection>/<str:key>/", GraphView.as_view()),
    path("resolve/", ResolveView.as_view()),
    path("screen/", ScreenView.as_view()),
    path("timeline/", TimelineView.as_view()),
    path("timeline.ics", TimelineCalendarView.as_view()),
    path("timeline.atom", TimelineFeedView.as_view()),
    path("coverage/", CoverageView.as_view()),
    path("search/", SearchView.as_view()),
    path("suggest/", SuggestView.as_view()),
]
