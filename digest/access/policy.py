"""The content security policy: strict on readers' pages, and on the desk what Unfold needs."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from digest.access.guards import DESK, DESK_POLICY


class PolicyMiddleware(CSPMiddleware):
    """As django-csp's, with the desk's own directives under its address; a view's own come before both."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return what the header is made from."""
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(DESK):
            parts.replace = {**DESK_POLICY, **(parts.replace or {})}
        return parts
