"""The JSON endpoint: the form's rules in another voice, for the sites named and for programs."""

import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some
from pytest_django import Settings

from subscribers import lifecycle, stamps
from subscribers.addresses import address_hash
from subscribers.models import SignupRequest, Subscriber, Suppression
from subscribers.signups import take_in
from subscribers.views import json_wish
from tests.cast import NOON, a_reader, a_topic, the_wording
from tests.subscribers.door.asking import DOOR, JSON, post, wish
from tests.subscribers.door.visits import pending, stamp

pytestmark = pytest.mark.django_db

LAB = "https://lab.example.org"
Status = Subscriber.Status


@pytest.fixture(autouse=True)
def _origins(settings: Settings) -> None:
    settings.EMBED_ORIGINS = [LAB]


def test_get_tells_what_a_form_needs(client: Client) -> None:
    a_topic("vision")
    a_topic("retired", active=False)
    response = client.get(DOOR)
    told = response.json()
    assert {"slug": "vision", "name": "Vision", "description": "Papers about vision."} in told["topics"]
    assert "retired" not in [topic["slug"] for topic in told["topics"]]
    assert told["consent"]["version"] == the_wording().version
    assert "unsubscribe" in told["consent"]["wording"]
    assert stamps.read(told["stamp"]) == stamps.Stamp(NOON, the_wording().pk)
    assert told["limits"] == {"address": 254, "words": 40, "word": 200, "body": 16384}
    assert told["captcha"] is None
    assert response["Cache-Control"] == "no-store"


def test_a_wish_becomes_a_pending_reader_with_all_that_was_chosen(client: Client) -> None:
    vision = a_topic("vision")
    fields = wish(topics=["vision"], words=["proof assistants", "graphs"], time_zone="Europe/Paris")
    response = post(client, fields)
    assert response.status_code == 202
    assert response.json()["status"] == "sent"
    assert SignupRequest.objects.get().source == "JSON endpoint"
    take_in(at=NOON)
    reader = Subscriber.objects.get()
    assert (reader.address, reader.status, reader.time_zone) == (
        "ada@example.org",
        Status.PENDING,
        "Europe/Paris",
    )
    assert [chosen.topic for chosen in reader.preferences.all()] == [vision]
    assert [interest.text for interest in reader.interests.order_by("pk")] == ["proof assistants", "graphs"]


def test_the_answer_is_equal_to_the_byte_whatever_the_address(client: Client) -> None:
    pending("pending@example.org")
    a_reader("active@example.org")
    a_reader("left@example.org", status=Status.UNSUBSCRIBED)
    a_reader("bounced@example.org", status=Status.SUPPRESSED)
    lifecycle.suppress(address_hash("listed@example.org"), Suppression.Reason.COMPLAINT, "test", at=NOON)
    answers = {
        (response.status_code, response.content, tuple(sorted(response.headers.items())))
        for who in ("new", "pending", "active", "left", "bounced", "listed")
        for response in [post(client, wish(address=f"{who}@example.org"))]
    }
    assert len(answers) == 1
    assert {status for status, _, _ in answers} == {202}


def test_a_filled_trap_is_thanked_and_forgotten(client: Client) -> None:
    assert post(client, wish(website="https://spam.example")).content == post(client, wish()).content
    assert SignupRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"address": ""}, "address"),
        ({"address": "mıke@example.org"}, "address"),
        ({"address": "ada@example.org\r\nBcc: eve@example.org"}, "address"),
        ({"address": "ada@example.org\x00"}, "address"),
        ({"address": ["ada@example.org"]}, "address"),
        ({"address": {"a": 1}}, "address"),
        ({"address": None}, "address"),
        ({"topics": "vision"}, "topics"),
        ({"topics": ["nonsense"]}, "topics"),
        ({"topics": [1]}, "topics"),
        ({"topics": ["\x00"]}, "topics"),
        ({"words": "graphs"}, "words"),
        ({"words": ["x"]}, "words"),
        ({"words": ["w" * 201]}, "words"),
        ({"words": [f"word {n}" for n in range(41)]}, "words"),
        ({"time_zone": 1}, "time_zone"),
        ({"stamp": 7}, "stamp"),
        ({"stamp": ""}, "stamp"),
        ({"stamp": "forged"}, "stamp"),
        ({"website": True}, "website"),
        ({"adress": "ada@example.org"}, "adress"),
    ],
)
def test_a_wrong_field_is_named_with_a_sentence(client: Client, fields: dict[str, Any], wrong: str) -> None:
    response = post(client, wish(**fields))
    assert response.status_code == 422
    errors = response.json()["errors"]
    assert list(errors) == [wrong]
    assert all(sentence.endswith(".") for sentence in errors[wrong])
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize("age", [0, 1, 25 * 3600, -60])
def test_stamp_too_young_or_too_old_asks_for_one_more_press(client: Client, age: float) -> None:
    response = post(client, wish(stamp=stamp(timedelta(seconds=age))))
    assert (response.status_code, list(response.json()["errors"])) == (422, ["stamp"])


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"address=ada%40example.org",
        b"\xff\xfe{\x00",
        b"\x80",
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b'{"address": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"address": ' + b"9" * 5_000 + b"}",
        b"null",
        b"[]",
        b'"ada@example.org"',
        b"NaN",
    ],
)
def test_a_body_that_is_no_object_is_refused_with_a_sentence(client: Client, body: bytes) -> None:
    response = post(client, body)
    assert (response.status_code, response["Content-Type"]) == (400, JSON)
    assert response.json()["error"].endswith((".", "}."))


def test_a_body_longer_than_16_kb_is_refused_unread(client: Client) -> None:
    body = json.dumps(wish()).encode()
    assert post(client, body.ljust(16 * 1024)).status_code == 202
    assert post(client, body.ljust(16 * 1024 + 1)).status_code == 413
    assert post(client, b"[" * 3_000_000).status_code == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"]
)
def test_another_content_type_is_refused(client: Client, kind: str) -> None:
    response = post(client, wish(), kind=kind)
    assert (response.status_code, response["Content-Type"]) == (415, JSON)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_another_method_is_told_which_there_are(client: Client, method: str) -> None:
    response = client.generic(method, DOOR)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert response.json()["error"]


def test_beyond_the_limits_the_answer_says_when_to_come_back(client: Client, settings: Settings) -> None:
    settings.SIGNUPS_PER_HOUR = 1
    answers = [post(client, wish(address=f"{who}@example.org"), {"Origin": LAB}) for who in ("ada", "eve")]
    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[1]["Retry-After"] == "3600"
    assert answers[1]["Access-Control-Expose-Headers"] == "Retry-After"
    assert "try again" in answers[1].json()["error"]
    assert SignupRequest.objects.count() == 1


def test_a_database_that_is_away_is_told_in_json(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    def away(*_: object) -> None:
        raise OperationalError("cannot insert ada@example.org")

    fields = wish()
    with connection.execute_wrapper(away):
        answers = [client.get(DOOR, headers={"Origin": LAB}), post(client, fields, {"Origin": LAB})]
    for answer in answers:
        assert (answer.status_code, answer["Content-Type"]) == (503, JSON)
        assert answer["Access-Control-Allow-Origin"] == LAB
        assert "try again" in answer.json()["error"]
    assert "database away" in caplog.text
    assert "ada@example.org" not in caplog.text


def test_a_fault_of_ours_is_told_in_json_and_reported_as_any_other(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("nobody thought of this")

    reported: list[str] = []

    def report(**_: object) -> None:
        reported.append(str(sys.exception()))

    client.raise_request_exception = False
    fields = wish()
    got_request_exception.connect(report)
    try:
        with connection.execute_wrapper(broken):
            answer = post(client, fields, {"Origin": LAB})
    finally:
        got_request_exception.disconnect(report)
    assert (answer.status_code, answer["Content-Type"]) == (500, JSON)
    assert answer["Access-Control-Allow-Origin"] == LAB
    assert "try again" in answer.json()["error"]
    assert "nobody thought" not in answer.content.decode()
    assert reported == ["nobody thought of this"]
    assert "Internal Server Error: /api/subscribe" in caplog.text
    assert "RuntimeError" in caplog.text, "with its traceback"


def test_the_captchas_answer_is_asked_for_where_one_is_in_use(client: Client, settings: Settings) -> None:
    settings.CAPTCHA, settings.CAPTCHA_SITE_KEY = "turnstile", "site-key"
    assert client.get(DOOR).json()["captcha"] == {"provider": "turnstile", "site_key": "site-key"}
    response = post(client, wish())
    assert (response.status_code, list(response.json()["errors"])) == (422, ["captcha"])


def test_the_captchas_answer_goes_by_the_name_its_provider_gives_it(settings: Settings) -> None:
    settings.CAPTCHA = "hcaptcha"
    body = json.dumps({"captcha": "answer"})
    request = RequestFactory().post(DOOR, body, content_type=JSON)
    assert json_wish.read(request).dict() == {"h-captcha-response": "answer"}


ANY_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["address", "topics", "words", "time_zone", "stamp", "website", "captcha"]
FUZZ = how(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)


def always_json(response: Any) -> None:
    assert response.status_code in {202, 400, 413, 415, 422, 429}
    assert response["Content-Type"] == JSON
    json.loads(response.content)
    assert b"Traceback" not in response.content


@FUZZ
@given(body=some.binary(max_size=400))
def test_any_bytes_get_json_back(client: Client, body: bytes) -> None:
    always_json(post(client, body))


@FUZZ
@given(body=ANY_JSON | some.dictionaries(some.sampled_from(NAMES), ANY_JSON))
def test_any_json_gets_json_back(client: Client, body: object) -> None:
    always_json(post(client, body))


@FUZZ
@given(
    fields=some.fixed_dictionaries(
        {},
        optional={
            "address": some.emails() | some.text(),
            "topics": some.lists(some.text() | some.just("vision"), max_size=3),
            "words": some.lists(some.text(), max_size=4),
            "time_zone": some.text(),
            "website": some.just(""),
            "stamp": some.text() | some.builds(stamp),
        },
    )
)
def test_fields_of_the_right_kind_with_any_text_get_json_back(client: Client, fields: dict[str, Any]) -> None:
    a_topic("vision")
    always_json(post(client, fields))
