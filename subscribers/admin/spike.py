"""The page about a rush of sign-ups: the figures, the limits in force, and what to do."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import limits


def page(request: HttpRequest) -> HttpResponse:
    """Return the page, for all who may log in here: it holds counts and settings, nobody's data."""
    now = limits.pressure(timezone.now())
    context = {
        **admin.site.each_context(request),
        "title": "Sign-ups under pressure",
        "figures": {
            "headers": ["", "Sign-ups"],
            "rows": [
                ["Asked for in the last hour", f"{now.asked:,}"],
                ["Refused by limits in the last hour", f"{now.refused:,}"],
                ["A usual hour of the last week", f"{now.usual:,.1f}"],
            ],
        },
        "limits": {
            "headers": ["Setting", "An hour", "What it holds back"],
            "rows": [
                ["SIGNUPS_PER_NETWORK", f"{settings.SIGNUPS_PER_NETWORK:,}", "one network (/24, IPv6 /48)"],
                ["SIGNUPS_PER_DOMAIN", f"{settings.SIGNUPS_PER_DOMAIN:,}", "one mail domain"],
                ["SIGNUPS_PER_HOUR", f"{settings.SIGNUPS_PER_HOUR:,}", "all sign-ups together"],
            ],
        },
        "captcha": settings.CAPTCHA,
        "proxy_hops": settings.PROXY_HOPS,
    }
    return render(request, "admin/subscribers/spike.html", context)
