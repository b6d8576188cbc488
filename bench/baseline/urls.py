from django.conf import settings
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from bench.baseline.policies import PolicyViewSet
from kbase.health import healthz

router = SimpleRouter()
router.register("policies", PolicyViewSet)

urlpatterns = [
    path(settings.API_ROOT.removeprefix("/"), include(router.urls)),
    path("healthz", healthz),
]
