"""The mailbox of development, in the browser. In production these addresses do not exist."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from digest import mailbox

PER_PAGE = 30
#: How a message can be looked at, in the order of the tabs.
SHOWN = {"mail": "Mail", "phone": "On a phone", "text": "Plain text", "headers": "Headers"}
View = Callable[..., HttpResponse]


def _in_development(view: View) -> View:
    """Answer 404 where the mailbox is not in use or the message is not there, and keep nothing in caches."""

    @wraps(view)
    def guarded(request: HttpRequest, **names: str) -> HttpResponse:
        if not mailbox.in_use():
            raise Http404("There is no mailbox here.")
        try:
            return view(request, **names)
        except mailbox.NoSuchMailError:
            # Not raised: under DEBUG, where this is, Django would answer in its own words.
            return render(request, "404.html", status=404)

    return never_cache(require_safe(guarded))


@_in_development
def mailbox_list(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, PER_PAGE a page; only their headers are read."""
    page = Paginator(mailbox.names(), PER_PAGE).get_page(request.GET.get("page"))
    mails = [mailbox.summary(name) for name in page]
    return render(request, "web/mailbox.html", {"mails": mails, "page": page})


@_in_development
def mailbox_message(request: HttpRequest, name: str) -> HttpResponse:
    """Show one message: as mail, as on a phone, its plain text, or its headers."""
    mail = mailbox.read(name)
    shown = request.GET.get("show", "mail")
    if shown not in SHOWN:
        raise Http404("A message is shown as mail, phone, text or headers.")
    if not mail.html and shown in {"mail", "phone"}:
        shown = "text"
    return render(request, "web/mailbox_message.html", {"mail": mail, "shown": shown, "tabs": SHOWN})


@xframe_options_sameorigin
@_in_development
def mailbox_html(_request: HttpRequest, name: str) -> HttpResponse:
    """Return a message's HTML for the frame, locked in: no script, no form, no origin of its own.

    Links open beside the frame: a page of ours refuses to be framed.
    """
    html = mailbox.read(name).html.replace("<head>", '<head><base target="_blank">', 1)
    response = HttpResponse(html)
    response["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        f"img-src 'self' {settings.SITE_URL}; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    return response


@_in_development
def mailbox_source(_request: HttpRequest, name: str) -> HttpResponse:
    """Return a message as it left, for a mail program to open."""
    return HttpResponse(
        mailbox.read(name).octets,
        content_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{name}.eml"'},
    )
