"""What a browser may load: the desk's relaxed policy holds there alone, and is relaxed where it must be."""

import pytest
from django.test import Client
from django.urls import reverse

from digest.models import Edition
from tests.cast import NOON, a_frozen_edition, a_paper
from tests.digest.access.people import browser_of

pytestmark = pytest.mark.django_db


def policy(client: Client, where: str) -> dict[str, str]:
    """Return the directives of the answer at `where`."""
    header = client.get(where)["Content-Security-Policy"]
    parts = [part.strip().partition(" ") for part in header.split(";")]
    return {name: value for name, _space, value in parts}


PUBLIC = [
    "/",
    "/editions/",
    "/topics/",
    "/subscribe/",
    "/privacy/",
    "/nowhere/",
    "/administration/",
    "/adminx",
]


@pytest.mark.parametrize("where", PUBLIC)
def test_readers_pages_allow_nothing_written_into_them(where: str) -> None:
    found = policy(Client(), where)
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == "'self'"
    assert "unsafe" not in " ".join(found.values())


@pytest.mark.parametrize("where", ["/admin/login/", "/admin/", "/admin/digest/edition/", "/admin/nowhere/"])
def test_the_desk_allows_what_unfold_needs_and_no_more(where: str) -> None:
    desk, public = policy(browser_of("owner"), where), policy(Client(), "/editions/")
    changed = {name: value for name, value in desk.items() if public.get(name) != value}
    assert changed == {
        "script-src": "'self' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self'",
    }
    assert desk["frame-ancestors"] == "'none'"
    assert desk["frame-src"] == "'self'"
    assert desk["img-src"] == "'self' data:"


def test_only_the_previews_mail_may_stand_in_a_frame_and_only_in_ours() -> None:
    edition = a_frozen_edition(NOON.date(), a_paper(), state=Edition.State.FROZEN)
    owner = browser_of("owner")
    mail = policy(owner, reverse("admin:edition_preview_mail", args=[edition.pk]))
    assert mail["frame-ancestors"] == "'self'"
    for name in ("digest_edition_change", "edition_preview", "edition_sending"):
        found = policy(owner, reverse(f"admin:{name}", args=[edition.pk]))
        assert found["frame-ancestors"] == "'none'"
