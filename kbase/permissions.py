"""Who may do what over HTTP."""

from rest_framework.permissions import SAFE_METHODS, BasePermission


class ReadOnly(BasePermission):
    """Everybody may read; nobody writes through the API."""

    def has_permission(self, request, view):
        return request.method in SAFE_METHODS
