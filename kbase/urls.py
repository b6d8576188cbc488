"""The addresses of the whole site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from kbase.health import healthz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("api/", RedirectView.as_view(pattern_name="docs")),
    path(settings.API_ROOT.removeprefix("/"), include("regulations.api.urls")),
    path(settings.API_DESCRIPTION.removeprefix("/"), SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
]

handler400 = "kbase.reading.problems.bad_request"
handler403 = "kbase.reading.problems.permission_denied"
handler404 = "kbase.reading.problems.not_found"
handler500 = "kbase.reading.problems.server_error"
