"""Who may show our pages in a frame: nobody, but for the sign-up form on the sites the operator names."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_exempt

View = Callable[[HttpRequest], HttpResponse]


def framable(view: View) -> View:
    """Let the sites in EMBED_ORIGINS show the pages of `view` in a frame (CSP Level 3, frame-ancestors).

    X-Frame-Options goes from these answers: it cannot name another site. While no site is named, it stays.
    What a site gains by laying its own page over the frame is a sign-up it could post by itself.
    """

    @wraps(view)
    def framed(request: HttpRequest) -> HttpResponse:
        if not settings.EMBED_ORIGINS:
            return view(request)
        policy = {"frame-ancestors": list(settings.EMBED_ORIGINS)}
        return cast("HttpResponse", xframe_options_exempt(csp_replace(policy)(view))(request))

    return framed
