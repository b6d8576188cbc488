"""The addresses of the whole site."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from kbase.health import healthz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("api/", RedirectView.as_view(pattern_name="docs")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
]

if find_spec("regulations.api.urls"):
    urlpatterns.insert(0, path("api/v1/", include("regulations.api.urls")))

if find_spec("kbase.reading"):
    handler400 = "kbase.reading.problems.bad_request"
    handler403 = "kbase.reading.problems.forbidden"
    handler404 = "kbase.reading.problems.not_found"
    handler500 = "kbase.reading.problems.server_error"
