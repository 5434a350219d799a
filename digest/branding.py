"""The desk's name and look, for `settings`: Unfold's settings in the product's colours."""

import os
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static

#: Set in the process of `manage.py demo`.
DEMO = "PAPERBOY_DEMO"
#: The accent of the public pages and its kin. White on 600 and 700, and 600 on the paper's own ground, pass
#: WCAG AA; so do 400 and 500 on the dark grounds.
TEAL = {
    "50": "#f0f8f7",
    "100": "#dceeec",
    "200": "#b9dcd9",
    "300": "#8cc9c4",
    "400": "#62b3ae",
    "500": "#45a19d",
    "600": "#157076",
    "700": "#0f5257",
    "800": "#0d4448",
    "900": "#0a3b3f",
    "950": "#062527",
}
#: Paper and ink. 500 on 50 and 100, and 400 on 800 and 900, pass WCAG AA for text.
PAPER = {
    "50": "#faf8f4",
    "100": "#f3f0e9",
    "200": "#e4dfd5",
    "300": "#d0cabd",
    "400": "#a8a296",
    "500": "#69645b",
    "600": "#524e46",
    "700": "#3e3b35",
    "800": "#2c2a26",
    "900": "#1c1b18",
    "950": "#11100e",
}


def unfold(list_name: str) -> dict[str, Any]:
    """Return Unfold's settings for the list of this name."""
    icon = _static("digest/icon.svg")
    return {
        # Functions, since Unfold tries to import any text it is given.
        "SITE_TITLE": lambda _request: list_name,
        "SITE_HEADER": lambda _request: list_name,
        "SITE_SUBHEADER": lambda _request: "The curators’ desk",
        "SITE_URL": lambda _request: "/",
        "SITE_ICON": icon,
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": True,
        "ENVIRONMENT": "digest.branding.environment",
        "DASHBOARD_CALLBACK": "digest.admin.dashboard.fill",
        "COLORS": {"primary": TEAL, "base": PAPER},
        "BORDER_RADIUS": "8px",
        "STYLES": [_static("digest/admin/look.css")],
        "SIDEBAR": {"navigation": "digest.admin.navigation.groups"},
    }


def environment(_request: HttpRequest) -> list[str] | None:
    """Return the badge beside the page's title and its colour: a demo, a development machine, or none."""
    if DEMO in os.environ:
        return ["Demo", "info"]
    return ["Development", "warning"] if settings.DEBUG else None


def _static(path: str) -> Callable[[HttpRequest], str]:
    return lambda _request: static(path)
