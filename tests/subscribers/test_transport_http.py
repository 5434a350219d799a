"""Providers' faults are classed by what left and what came back, the same for every provider."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import format_datetime

import pytest
import time_machine
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from anymail.message import AnymailRecipientStatus, AnymailStatus
from anymail.signals import post_send
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from subscribers.links import unsubscribe_url
from subscribers.mail import compose_digest
from subscribers.outcomes import Slower, classed, http, retry_after
from subscribers.transport import Fate, Outcome, Sender, Senders
from tests.sinks.dialects import DIALECTS
from tests.sinks.provider import MODES, Provider

#: What each mode must be called, whoever the provider is.
EXPECTED = {
    "refused": Fate.NOT_SENT,
    "close before body": Fate.UNKNOWN,
    "reset before body": Fate.UNKNOWN,
    "close after body": Fate.UNKNOWN,
    "reset after body": Fate.UNKNOWN,
    "hang": Fate.UNKNOWN,
    "429": Fate.DEFERRED,
    "500": Fate.UNKNOWN,
    "503": Fate.UNKNOWN,
    "200 bad json": Fate.UNKNOWN,
    "422": Fate.REJECTED,
}


def a_digest(number: int = 1, to: str = "") -> EmailMultiAlternatives:
    """Return a message as `subscribers.mail` composes it, as far as a provider looks at it."""
    message = EmailMultiAlternatives(
        f"Daily Papers {number}",
        f"The text of digest {number}.",
        "Daily Papers <papers@paperboy.example>",
        [to or f"reader{number}@example.org"],
        headers={
            "Message-ID": f"<delivery-{number}@paperboy.example>",
            "List-Unsubscribe": f"<https://papers.example.org/u/{number}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(f"<p>The HTML of digest {number}.</p>", "text/html")
    message.metadata = {"delivery": f"delivery-{number}"}  # type: ignore[attr-defined]
    message.tags = ["digest"]  # type: ignore[attr-defined]
    return message


@pytest.fixture
def sender() -> Iterator[Sender]:
    """One Sender, closed afterwards."""
    one = Sender()
    yield one
    one.close()


@pytest.mark.parametrize("reused", [False, True], ids=["first", "reused"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", DIALECTS)
def test_every_http_fault_gets_its_class(
    name: str, mode: str, reused: bool, provider: Provider, sender: Sender
) -> None:
    provider.patience = 0.5 if mode == "hang" else 10.0
    with override_settings(**provider.settings(name)):
        if reused:
            assert sender.send(a_digest()).fate is Fate.ACCEPTED, provider.problems
        provider.mode = mode
        if mode == "refused":
            provider.stop()
            sender.close()
        outcome = sender.send(a_digest(2))
    assert outcome.fate is EXPECTED[mode], outcome
    asks_to_wait = mode in {"429", "503"}
    assert outcome.retry_after == (7.0 if asks_to_wait else None)
    assert outcome.slower is (Slower.PROVIDER if asks_to_wait else None)
    assert not outcome.address_is_bad
    assert "reader" not in outcome.detail


def test_the_table_names_all_eleven_modes() -> None:
    assert len(MODES) == 11
    assert set(MODES) == set(EXPECTED)


@pytest.mark.parametrize("name", DIALECTS)
def test_an_accepted_digest_brings_the_providers_name_for_it(
    name: str, provider: Provider, sender: Sender
) -> None:
    with override_settings(**provider.settings(name)):
        outcome = sender.send(a_digest())
    assert outcome.fate is Fate.ACCEPTED, (outcome, provider.problems)
    assert len(outcome.provider_id.strip("<>").partition("@")[0]) == 36
    (mail,) = provider.accepted
    assert mail.to == ("reader1@example.org",)
    assert mail.metadata["delivery"] == "delivery-1"
    assert mail.tags == ("digest",)
    assert mail.header("List-Unsubscribe") == "<https://papers.example.org/u/1>"
    assert (mail.text, mail.html) == ("The text of digest 1.", "<p>The HTML of digest 1.</p>")


@pytest.mark.parametrize("name", DIALECTS)
def test_the_fake_provider_refuses_a_digest_without_its_unsubscribe_header(
    name: str, provider: Provider, sender: Sender
) -> None:
    message = a_digest()
    del message.extra_headers["List-Unsubscribe"]
    with override_settings(**provider.settings(name)):
        assert sender.send(message).fate is Fate.REJECTED
    assert provider.problems == ["List-Unsubscribe holds no https address"]
    assert provider.accepted == []


@pytest.mark.parametrize("name", DIALECTS)
def test_a_wrong_key_burns_no_reader(name: str, provider: Provider, sender: Sender) -> None:
    settings = provider.settings(name)
    secret = next(key for key in settings["ANYMAIL"] if key.endswith(("KEY", "TOKEN")))
    settings["ANYMAIL"][secret] = "wrong"
    with override_settings(**settings):
        outcome = sender.send(a_digest())
    assert outcome.fate is Fate.NOT_SENT
    assert "API key" in outcome.detail


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (400, Fate.REJECTED),
        (401, Fate.NOT_SENT),
        (403, Fate.NOT_SENT),
        (404, Fate.NOT_SENT),
        (408, Fate.UNKNOWN),
        (409, Fate.UNKNOWN),
        (413, Fate.REJECTED),
        (502, Fate.UNKNOWN),
    ],
)
def test_the_other_answers_of_a_provider(status: int, fate: Fate, provider: Provider, sender: Sender) -> None:
    provider.mode = str(status)
    with override_settings(**provider.settings("postmark")):
        assert sender.send(a_digest()).fate is fate


def test_the_message_after_a_fault_goes_out(provider: Provider, sender: Sender) -> None:
    provider.patience = 0.5
    with override_settings(**provider.settings("mailgun")):
        for mode in MODES[1:]:
            provider.mode = mode
            assert sender.send(a_digest(1)).fate is not Fate.ACCEPTED
            provider.mode = "fine"
            assert sender.send(a_digest(2)).fate is Fate.ACCEPTED
    assert len(provider.accepted) == len(MODES) - 1


@pytest.mark.parametrize(
    "url", ["http://no-such-host.invalid/", "https://127.0.0.1:{port}/", "no address at all"]
)
def test_a_provider_that_cannot_be_reached_has_nothing(url: str, provider: Provider, sender: Sender) -> None:
    settings = provider.settings("postmark")
    settings["ANYMAIL"]["POSTMARK_API_URL"] = url.format(port=provider.port)
    with override_settings(**settings):
        outcome = sender.send(a_digest())
    assert outcome.fate is Fate.NOT_SENT, outcome
    assert provider.requests == []


def test_a_recipient_the_provider_holds_inactive_is_a_bad_address(provider: Provider, sender: Sender) -> None:
    provider.refuses = {"reader1@example.org"}
    with override_settings(**provider.settings("postmark")):
        outcome = sender.send(a_digest(1))
        assert (outcome.fate, outcome.address_is_bad) == (Fate.REJECTED, True)
        assert "reader1" not in outcome.detail
        assert sender.send(a_digest(2)).fate is Fate.ACCEPTED


@pytest.mark.parametrize(
    ("status", "esp", "bad"),
    [("invalid", "Mandrill", True), ("rejected", "Postmark", True), ("rejected", "Mandrill", False)],
)
def test_a_refusal_is_about_the_address_only_where_the_provider_means_that(
    status: str, esp: str, bad: bool
) -> None:
    message = a_digest()
    message.anymail_status = AnymailStatus()  # type: ignore[attr-defined]
    message.anymail_status.set_recipient_status(  # type: ignore[attr-defined]
        {"reader1@example.org": AnymailRecipientStatus(message_id=None, status=status)}
    )
    outcome = classed(AnymailRecipientsRefused(email_message=message, esp_name=esp), taken=True)
    assert (outcome.fate, outcome.address_is_bad) == (Fate.REJECTED, bad)


class ToldError(Exception):
    """Stands for what the AWS client raises: its name is what Anymail's caller has to go by."""


def aws(code: str = "", status: int = 0, cause: str = "ClientError") -> AnymailAPIError:
    """Return a fault as Anymail's SES backend wraps it."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}} if code else None
    error = AnymailAPIError(f"told {code}", response=answer)
    error.__cause__ = type(cause, (ToldError,), {})()
    return error


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (aws("ThrottlingException", 400), Fate.DEFERRED),
        (aws("TooManyRequestsException", 429), Fate.DEFERRED),
        (aws("MessageRejected", 400), Fate.REJECTED),
        (aws("AccessDeniedException", 403), Fate.NOT_SENT),
        (aws("SendingPausedException", 400), Fate.NOT_SENT),
        (aws("InternalFailure", 500), Fate.UNKNOWN),
        (aws(cause="EndpointConnectionError"), Fate.NOT_SENT),
        (aws(cause="NoCredentialsError"), Fate.NOT_SENT),
        (aws(cause="ParamValidationError"), Fate.REJECTED),
        (aws(cause="ReadTimeoutError"), Fate.UNKNOWN),
        (aws(cause="ConnectionClosedError"), Fate.UNKNOWN),
    ],
)
def test_the_faults_of_amazon_are_classed_by_their_codes(error: AnymailAPIError, fate: Fate) -> None:
    assert classed(error, taken=None).fate is fate


def test_a_missing_setting_rejects_nobody(sender: Sender) -> None:
    with override_settings(EMAIL_BACKEND="subscribers.resend.EmailBackend", ANYMAIL={}):
        outcome = sender.send(a_digest())
    assert outcome.fate is Fate.NOT_SENT
    assert "RESEND_API_KEY" in outcome.detail
    assert classed(ImproperlyConfigured("x"), taken=None).fate is Fate.NOT_SENT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", 86400.0),
    ],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@time_machine.travel(datetime(2026, 3, 4, 12, 0, tzinfo=UTC), tick=False)
def test_retry_after_as_a_date() -> None:
    assert retry_after(format_datetime(datetime(2026, 3, 4, 12, 2, tzinfo=UTC), usegmt=True)) == 120.0
    assert retry_after("Wed, 04 Mar 2026 11:00:00 GMT") == 0.0


def test_headers_without_retry_after_ask_for_no_wait() -> None:
    assert http(429, {}) == Outcome(Fate.DEFERRED, "HTTP 429", slower=Slower.PROVIDER)


def test_resend_gets_the_idempotency_key_as_a_header_of_the_request(
    provider: Provider, sender: Sender
) -> None:
    message = a_digest()
    message.extra_headers["Idempotency-Key"] = "the-key"
    with override_settings(**provider.settings("resend")):
        assert sender.send(message).fate is Fate.ACCEPTED
    assert provider.requests[0].headers["Idempotency-Key"] == "the-key"
    assert b"the-key" not in provider.requests[0].body


def test_a_digest_sent_to_resend_twice_is_one_mail_with_one_name(provider: Provider, sender: Sender) -> None:
    with override_settings(**provider.settings("resend")):
        first, second = sender.send(a_digest()), sender.send(a_digest())
    assert provider.requests[0].headers["Idempotency-Key"] == "delivery-1"
    assert provider.requests[0].body == provider.requests[1].body
    assert first == second
    assert len(provider.accepted) == 1


def test_a_changed_digest_under_an_old_key_stays_unknown(provider: Provider, sender: Sender) -> None:
    changed = a_digest()
    changed.body = "Another text."
    with override_settings(**provider.settings("resend")):
        sender.send(a_digest())
        assert sender.send(changed).fate is Fate.UNKNOWN
    assert len(provider.accepted) == 1


UNKNOWN_AT_FIRST = [mode for mode, fate in EXPECTED.items() if fate is Fate.UNKNOWN and mode != "hang"]


@pytest.mark.parametrize("mode", UNKNOWN_AT_FIRST)
def test_what_may_have_arrived_is_offered_to_resend_again_under_its_key(
    mode: str, provider: Provider, sender: Sender
) -> None:
    provider.keeps, provider.coming = True, [mode, mode, "fine"]
    with override_settings(**provider.settings("resend")):
        assert sender.send(a_digest()).fate is Fate.ACCEPTED
    assert len(provider.accepted) == 1
    assert len({(request.headers["Idempotency-Key"], request.body) for request in provider.requests}) == 1


@pytest.mark.parametrize("then", ["429", "422", "500", "401", "reset after body"])
def test_only_a_yes_says_anything_of_the_first_try(then: str, provider: Provider, sender: Sender) -> None:
    provider.keeps, provider.coming = True, ["reset after body", then]
    with override_settings(**provider.settings("resend")):
        assert sender.send(a_digest()).fate is Fate.UNKNOWN
    assert len(provider.requests) == 3


@pytest.mark.parametrize("name", ["postmark", "mailgun", "brevo"])
def test_a_provider_without_keys_is_offered_nothing_twice(
    name: str, provider: Provider, sender: Sender
) -> None:
    provider.keeps, provider.coming = True, ["reset after body", "fine"]
    with override_settings(**provider.settings(name)):
        assert sender.send(a_digest()).fate is Fate.UNKNOWN
    assert len(provider.requests) == len(provider.accepted) == 1


def test_what_took_long_or_has_no_key_is_not_offered_again(
    provider: Provider, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    nameless = a_digest()
    del nameless.extra_headers["Message-ID"]
    provider.coming = ["reset after body", "fine"]
    with override_settings(**provider.settings("resend")):
        assert sender.send(nameless).fate is Fate.UNKNOWN
        monkeypatch.setattr("subscribers.transport.LONGEST_AGAIN", -1.0)
        provider.coming = ["reset after body", "fine"]
        assert sender.send(a_digest()).fate is Fate.UNKNOWN
    assert len(provider.requests) == 2


@pytest.mark.parametrize("name", ["postmark", "mailgun"])
def test_two_hundred_digests_over_twelve_threads_each_arrive_once(name: str, provider: Provider) -> None:
    digests = [a_digest(number) for number in range(200)]
    with override_settings(**provider.settings(name)), Senders(threads=12) as senders:
        outcomes = senders.send_all(digests)
    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    assert provider.problems == []
    assert sorted(mail.to[0] for mail in provider.accepted) == sorted(digest.to[0] for digest in digests)
    assert len({outcome.provider_id for outcome in outcomes}) == 200
    for mail in provider.accepted:
        number = mail.to[0].removeprefix("reader").partition("@")[0]
        assert mail.metadata["delivery"] == f"delivery-{number}"
        assert mail.html == f"<p>The HTML of digest {number}.</p>"


def test_a_signal_that_fails_after_the_provider_took_it_changes_no_outcome(
    provider: Provider, sender: Sender
) -> None:
    def fails(**_: object) -> None:
        raise RuntimeError("a receiver of somebody else")

    post_send.connect(fails)
    try:
        with override_settings(**provider.settings("postmark")):
            assert sender.send(a_digest()).fate is Fate.ACCEPTED
    finally:
        post_send.disconnect(fails)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_digest_of_the_house_is_what_a_provider_wants(
    name: str, provider: Provider, sender: Sender
) -> None:
    link = unsubscribe_url("reader-1", "delivery-1")
    digest = compose_digest(
        to="reader1@example.org",
        subscriber_public_id="reader-1",
        delivery_public_id="delivery-1",
        edition_day=date(2026, 3, 4),
        subject="Daily Papers, 4 March: Ünïcode in vision + 9 more",
        html=f'<p>Ten papers. <a href="{link}">Unsubscribe</a></p>',
        text=f"Ten papers. Unsubscribe: {link}",
        at=datetime(2026, 3, 4, 7, 0, tzinfo=UTC),
    )
    with override_settings(**provider.settings(name)):
        assert sender.send(digest).fate is Fate.ACCEPTED, provider.problems
    (mail,) = provider.accepted
    assert mail.subject == "Daily Papers, 4 March: Ünïcode in vision + 9 more"
    assert mail.header("Message-ID").startswith("<delivery-1@")
    assert link in mail.header("List-Unsubscribe")
