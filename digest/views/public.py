"""What every public page has in common."""

from collections.abc import Callable

from django.http import HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponse]
#: Seconds that a browser or a proxy may keep a page: what a curator hides is gone a minute later.
MAX_AGE = 60


def public(view: View) -> View:
    """Let `view` be looked at only, kept for a minute by anybody, and sent compressed.

    Compressed are public pages alone, one by one and not by a middleware: they set no cookie and hold no
    secret, so that their size gives nothing away (BREACH). Pages behind a token hold one, and stay plain.
    """
    return require_safe(cache_control(public=True, max_age=MAX_AGE)(gzip_page(view)))
