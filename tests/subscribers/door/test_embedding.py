"""The form in a frame: shown where the operator says, and nowhere else; and the code to copy."""

import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from digest import configuration
from subscribers.models import SignupRequest
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic
from tests.subscribers.door.markup import Elements
from tests.subscribers.door.visits import choosing, confirming, pending, stamp, unsubscribing

pytestmark = pytest.mark.django_db

LAB = "https://lab.example.org"
OTHER = "https://other.example.org:8443"
FRAMED = ("embed", "embed_sent")


@pytest.fixture(autouse=True)
def _origins(settings: Settings) -> None:
    settings.EMBED_ORIGINS = [LAB, OTHER]


def addresses(patterns: list[URLPattern | URLResolver], before: str, values: dict[str, str]) -> Iterator[str]:
    """Yield an address for each pattern; what stands in its brackets comes from `values`, or is an x."""
    for pattern in patterns:
        if not hasattr(pattern.pattern, "_route"):
            continue  # the pages for what is missing
        filled = re.sub(
            r"<(?:\w+:)?(\w+)>", lambda match: values.get(match[1], "x"), str(pattern.pattern._route)
        )
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, before + filled, values)
        else:
            yield before + filled


def ancestors(client: Client, address: str) -> tuple[str | None, str | None]:
    """Return who may frame `address`: its frame-ancestors, and its X-Frame-Options."""
    response = client.get(address)
    policy = response.get("Content-Security-Policy", "")
    match = re.search(r"frame-ancestors ([^;]*)", policy)
    return match and match[1], response.get("X-Frame-Options")


@pytest.mark.parametrize("name", FRAMED)
def test_the_sites_named_may_frame_the_form_and_no_other(client: Client, name: str) -> None:
    assert ancestors(client, reverse(name)) == (f"{LAB} {OTHER}", None)


@pytest.mark.parametrize("name", FRAMED)
def test_without_a_site_named_nobody_may_frame_the_form(
    client: Client, settings: Settings, name: str
) -> None:
    settings.EMBED_ORIGINS = []
    assert ancestors(client, reverse(name)) == ("'none'", "DENY")


def test_no_other_page_can_be_framed(client: Client) -> None:
    vision = a_topic("vision")
    paper = a_paper("A paper", vision)
    a_frozen_edition(NOON.date(), paper)
    reader = a_reader("ada@example.org", vision)
    values = {"day": NOON.date().isoformat(), "slug": "vision", "identity": paper.identity}
    pages = list(addresses(get_resolver().url_patterns, "/", values))
    pages += [confirming(pending("eve@example.org")), choosing(reader), unsubscribing(reader), "/nowhere"]
    assert len(pages) > 40
    framed = [reverse(name) for name in FRAMED]
    for address in pages:
        policy, option = ancestors(client, address)
        if address in framed:
            assert option is None
        else:
            assert option == "DENY", address
            assert policy == "'none'" or address.startswith("/admin/"), address


def test_the_frame_sets_no_cookie_and_leads_out_of_itself(client: Client) -> None:
    for name in FRAMED:
        response = client.get(reverse(name))
        assert not response.cookies
        page = response.content.decode()
        outward = [link for link in Elements(page).all("a") if link["href"] != reverse("embed")]
        assert all(link["target"] in {"_blank", "_top"} for link in outward)
        assert "style=" not in page
        assert page.count("<h1") == 1


def test_the_frame_is_filled_in_by_its_address(client: Client) -> None:
    a_topic("vision")
    page = client.get("/embed/?topic=vision&topic=nonsense&q=proof+assistants&address=ada@example.org")
    fields = Elements(page.content.decode())
    chosen = [field["value"] for field in fields.all("input") if "checked" in field]
    assert chosen == ["vision"]
    assert "proof assistants</textarea>" in page.content.decode()
    assert "ada@example.org" not in page.content.decode()
    assert fields.all("form")[0]["action"] == "/embed/"


def test_a_wish_from_the_frame_follows_the_front_doors_rules(client: Client) -> None:
    a_topic("vision")
    fields = {"address": "ada@example.org", "topics": "vision", "words": "proofs", "stamp": stamp()}
    sent = client.post("/embed/", fields, headers={"Origin": "null"})
    assert (sent.status_code, sent["Location"]) == (303, "/embed/sent/")
    asked = SignupRequest.objects.get()
    assert (asked.address, asked.topics, asked.words) == ("ada@example.org", ["vision"], ["proofs"])
    assert asked.source == "embedded form"
    assert "Check your inbox" in client.get(sent["Location"]).content.decode()


def test_a_program_in_the_frame_is_thanked_and_forgotten(client: Client) -> None:
    fields = {"address": "ada@example.org", "website": "https://spam.example", "stamp": stamp()}
    assert client.post("/embed/", fields)["Location"] == "/embed/sent/"
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"address": "mıke@example.org"}, "Only letters without accents can stand before the @."),
        ({"words": "x"}, "too short to look for"),
        ({"stamp": ""}, "Please press Subscribe once more."),
    ],
)
def test_a_refusal_in_the_frame_stays_in_the_frame_and_keeps_what_was_typed(
    client: Client, changed: dict[str, str], sentence: str
) -> None:
    a_topic("vision")
    typed = {"address": "ada@example.org", "topics": "vision", "words": "proofs", "stamp": stamp()}
    response = client.post("/embed/", {**typed, **changed})
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert f'value="{changed.get("address", "ada@example.org")}"' in page
    assert re.search(r'value="vision"[^>]* checked', page)
    assert f"frame-ancestors {LAB} {OTHER}" in response["Content-Security-Policy"]
    assert "X-Frame-Options" not in response
    assert not SignupRequest.objects.exists()


@pytest.mark.usefixtures("cache_server")
def test_a_limit_met_in_the_frame_says_when_to_come_again(client: Client, settings: Settings) -> None:
    settings.SIGNUPS_PER_NETWORK = 1
    tries = [
        client.post("/embed/", {"address": f"{who}@example.org", "stamp": stamp()}) for who in ("ada", "eve")
    ]
    assert [each.status_code for each in tries] == [303, 429]
    assert tries[1]["Retry-After"] == "3600"


def test_the_captcha_and_the_frame_share_one_policy(client: Client, settings: Settings) -> None:
    settings.CAPTCHA, settings.CAPTCHA_SITE_KEY = "turnstile", "site-key"
    response = client.get("/embed/")
    policy = response["Content-Security-Policy"]
    assert "script-src 'self' https://challenges.cloudflare.com" in policy
    assert f"frame-ancestors {LAB} {OTHER}" in policy
    assert 'class="cf-turnstile"' in response.content.decode()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Lab.Example.org/", [LAB]),
        (f"{LAB}, {OTHER}", [LAB, OTHER]),
        ("http://localhost:8081", ["http://localhost:8081"]),
        ("", []),
    ],
)
def test_origins_are_kept_as_browsers_send_them(given: str, kept: list[str]) -> None:
    assert configuration.origins("EMBED_ORIGINS", given, allow_http=True) == kept


@pytest.mark.parametrize(
    "given",
    [
        "https://*.example.org",
        "https://lab.example.org;script-src",
        "https://lab.example.org/page",
        "https://lab.example.org:443",
        "'self'",
        "*",
        "null",
        "lab.example.org",
        "https://bücher.example",
        "http://lab.example.org",
    ],
)
def test_what_is_no_origin_is_refused_at_the_start(given: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMBED_ORIGINS"):
        configuration.origins("EMBED_ORIGINS", given, allow_http=False)
