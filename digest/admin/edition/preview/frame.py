"""A mail's HTML for the frame of the preview: locked in, in light or dark, with pictures or without."""

import re

from django.conf import settings
from django.http import HttpResponse

#: What the mail's own style sheet asks a mail program.
_ASKS_FOR_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme:\s*dark\s*\)")
_SCHEME = re.compile(r'(color-scheme(?:"\s+content="|:\s*))light dark')


def framed(html: str, *, dark: bool) -> str:
    """Return `html` as a mail program in light or dark mode answers its question for the colour scheme.

    A browser answers that with its own reader's wish, and no page can ask it to answer otherwise for a frame.
    So the question is replaced by the answer, in the head alone, where no paper's text is. All else stays as
    it leaves. Links open beside the frame: a page of ours refuses to be framed.
    """
    head, mark, body = html.partition("</head>")
    head = _ASKS_FOR_DARK.sub("@media all" if dark else "@media not all", head)
    head = _SCHEME.sub(r"\1dark" if dark else r"\1light", head)
    return head.replace("<head>", '<head><base target="_blank">', 1) + mark + body


def locked_in(html: str, *, pictures: bool) -> HttpResponse:
    """Return the page: no script, no form, no origin of its own; pictures from our own host, or none at all.

    Without `pictures` the browser is forbidden to load any, so what is seen is what a mail program shows.
    """
    response = HttpResponse(html)
    sources = f"'self' {settings.SITE_URL}" if pictures else "'none'"
    response["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        f"img-src {sources}; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    response["Referrer-Policy"] = "no-referrer"
    return response
