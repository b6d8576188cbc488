"""Who may do what over HTTP."""

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS, BasePermission


class ReadOnly(BasePermission):
    """Everybody may read; nobody writes through the API."""

    def has_permission(self, request, view):
        if request.method not in SAFE_METHODS:
            # Not 403, which would say that somebody else may.
            raise MethodNotAllowed(request.method)
        return True
