"""The puzzle on the form: only where it is switched on, and nothing typed is lost by it."""

import dataclasses
import time
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from subscribers import captcha
from subscribers.models import SignupRequest
from tests.cast import a_topic
from tests.sinks.siteverify import SECRET, Siteverify
from tests.subscribers.door.visits import sign_up

pytestmark = pytest.mark.django_db

FIELDS = {"turnstile": "cf-turnstile-response", "hcaptcha": "h-captcha-response"}
HOSTS = {"turnstile": "https://challenges.cloudflare.com", "hcaptcha": "https://*.hcaptcha.com"}


@pytest.fixture(params=FIELDS)
def provider(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Siteverify]:
    name = request.param
    settings.CAPTCHA, settings.CAPTCHA_SITE_KEY, settings.CAPTCHA_SECRET_KEY = name, "our-site-key", SECRET
    with Siteverify() as fake:
        here = dataclasses.replace(captcha.PUZZLES[name], siteverify=fake.url)
        monkeypatch.setitem(captcha.PUZZLES, name, here)
        yield fake


def answered(client: Client, settings: Settings, answer: str, **data: object) -> tuple[int, str]:
    fields = {"address": "ada@example.org", FIELDS[settings.CAPTCHA]: answer, **data}
    response = sign_up(client, **fields)
    return response.status_code, response.content.decode()


def test_without_one_the_form_knows_of_no_puzzle_and_loads_nothing_from_elsewhere(client: Client) -> None:
    response = client.get("/subscribe/")
    for word in ("captcha", "turnstile", "cloudflare"):
        assert word not in response.content.decode() + response["Content-Security-Policy"]
    assert captcha.judge("") is captcha.Verdict.GOOD


@pytest.mark.usefixtures("provider")
def test_with_one_the_form_shows_it_and_the_bars_open_for_its_hosts_there_alone(
    client: Client, settings: Settings
) -> None:
    puzzle = captcha.PUZZLES[settings.CAPTCHA]
    pages = [client.get("/subscribe/"), sign_up(client, address="nonsense"), client.get("/")]
    for response in (*pages, client.post("/preview/", {"address": "ada@example.org"})):
        page = response.content.decode()
        assert f'<div class="{puzzle.box}" data-sitekey="our-site-key"></div>' in page
        assert f'<script src="{puzzle.script}" async defer></script>' in page
        assert SECRET not in page
        policy = {
            part.split()[0]: part.split()[1:] for part in response["Content-Security-Policy"].split("; ")
        }
        for directive in ("script-src", "frame-src", "connect-src"):
            assert policy[directive][0] == "'self'"
            assert HOSTS[settings.CAPTCHA] in policy[directive]
        assert policy["default-src"] == ["'none'"]
    for other in ("/subscribe/sent/", "/u/forged"):
        assert HOSTS[settings.CAPTCHA] not in client.get(other)["Content-Security-Policy"]


def test_a_good_answer_lets_in_once(client: Client, provider: Siteverify, settings: Settings) -> None:
    assert answered(client, settings, provider.good)[0] == 303
    assert answered(client, settings, provider.good)[0] == 422
    assert SignupRequest.objects.count() == 1
    assert provider.asked[0] == {"secret": [SECRET], "response": [provider.good]}, (
        "no network address goes along"
    )


@pytest.mark.parametrize("answer", ["", "a bad answer", "x" * 10_000, "\x00"])
def test_a_bad_answer_is_told_and_loses_nothing(
    client: Client, provider: Siteverify, settings: Settings, answer: str
) -> None:
    vision = a_topic("vision")
    status, page = answered(client, settings, answer, topics=[vision.slug], words="kept words")
    assert status == 422
    assert "Please solve the puzzle above the button" in page
    for kept in ('value="ada@example.org"', "kept words", "checked"):
        assert kept in page
    assert not SignupRequest.objects.exists()
    assert answered(client, settings, provider.good)[0] == 303


@pytest.mark.parametrize(
    "mode", ["500", "no json", "a list", "too long", "hang", "trickle", "trickled body", "gone"]
)
def test_a_provider_that_is_away_is_told_in_a_sentence_within_seconds(
    client: Client, provider: Siteverify, settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    provider.mode = mode
    monkeypatch.setattr(captcha, "_SECONDS", 0.3)
    if mode == "gone":
        provider.close()
    started = time.monotonic()
    status, page = answered(client, settings, provider.good, words="kept words")
    assert time.monotonic() - started < 3
    assert (status, "kept words" in page) == (503, True)
    assert "The puzzle cannot be checked just now." in page
    assert not SignupRequest.objects.exists()


@pytest.mark.usefixtures("provider")
def test_a_wrong_secret_key_is_our_own_fault_and_goes_to_the_log(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CAPTCHA_SECRET_KEY = "mistyped"
    assert answered(client, settings, "a good answer")[0] == 503
    assert "the captcha's secret key is refused" in caplog.text
    assert "mistyped" not in caplog.text


def test_programs_and_old_pages_are_sent_away_before_anybody_is_asked(
    client: Client, provider: Siteverify, settings: Settings
) -> None:
    assert answered(client, settings, provider.good, website="https://spam.example")[0] == 303
    assert answered(client, settings, provider.good, stamp="forged")[0] == 422
    assert provider.asked == []
    assert not SignupRequest.objects.exists()


@pytest.mark.usefixtures("cache_server")
def test_bad_answers_use_up_nobody_s_share(client: Client, provider: Siteverify, settings: Settings) -> None:
    settings.SIGNUPS_PER_DOMAIN = 1
    for _ in range(5):
        assert answered(client, settings, "a bad answer")[0] == 422
    assert answered(client, settings, provider.good)[0] == 303


@pytest.mark.usefixtures("cache_server")
def test_one_network_cannot_have_the_provider_asked_without_end(
    client: Client, provider: Siteverify, settings: Settings
) -> None:
    settings.SIGNUPS_PER_NETWORK = 2
    statuses = [answered(client, settings, "a bad answer")[0] for _ in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert len(provider.asked) == 10
    client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert answered(client, settings, provider.good)[0] == 303
