"""What Amazon SES tells by SNS: signed by SNS, of topics that are ours, with Amazon's certificate."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_django import Settings

from digest.events import sns
from digest.models import Delivery, ProviderEvent
from subscribers.models import Suppression
from tests.digest.events.amazon import CERTIFICATE, TOPIC, Amazon, posted
from tests.digest.events.conftest import ADDRESS, Send
from tests.digest.events.posts import Post
from tests.journeys.rows import rows

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Amazon:
    return Amazon(tmp_path_factory.mktemp("amazon"))


@pytest.fixture
def amazon(
    _made: Amazon,
    post: Send,  # noqa: ARG001 - it makes the settings that are added to here
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Amazon]:
    settings.SES_TOPIC_ARNS = ["arn:aws:sns:eu-west-1:123456789012:another", TOPIC]
    # boto3 goes to SNS's own host, too, which leads to the loopback.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(_made.folder / "authority.pem"))
    with _made.running(monkeypatch) as running:
        running.status, running.asked = 200, []
        running.present()
        yield running


def named(delivery: Delivery) -> dict[str, str]:
    return {"delivery": delivery.public_id}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("delivered", "delivered"),
        ("gone", "bounced"),
        ("policy", "refused"),
        ("full", "soft_bounced"),
        ("complained", "complained"),
    ],
)
def test_what_sns_signed_is_believed(
    amazon: Amazon, post: Send, delivery: Delivery, version: str, what: str, kind: str
) -> None:
    one = amazon.told(what, named(delivery), ADDRESS, SignatureVersion=version, Subject="words")
    assert post(one).status_code == post(one).status_code == 200
    event = ProviderEvent.objects.get()
    assert (event.kind, event.delivery) == (kind, delivery)
    assert amazon.asked == ["/SimpleNotificationService-0123abcd.pem"], "the certificate is asked for once"


def altered(one: Post, **fields: object) -> Post:
    return posted({**json.loads(one.body), **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"Message": json.dumps({"eventType": "Complaint"})},
        {"MessageId": "another-name"},
        {"Timestamp": datetime.now(UTC).isoformat()},
        {"Subject": "words that were not signed"},
        {"SignatureVersion": "2"},
        {"SignatureVersion": "3"},
        {"Signature": ""},
        {"Signature": "no base64!"},
        {"Signature": None},
        {"TopicArn": TOPIC + "2"},
        {"TopicArn": None},
        {"TopicArn": ["a list"]},
        {"Timestamp": None},
        {"Type": "Notice"},
    ],
    ids=str,
)
def test_what_was_altered_since_it_was_signed_has_no_effect(
    amazon: Amazon, post: Send, delivery: Delivery, fields: dict[str, object]
) -> None:
    before = rows()
    one = altered(amazon.told("gone", named(delivery), ADDRESS), **fields)
    assert post(one).status_code in {400, 403}
    assert rows() == before


def test_a_topic_that_is_not_ours_is_refused_though_sns_signed_it(
    amazon: Amazon, post: Send, settings: Settings, delivery: Delivery
) -> None:
    foreign = TOPIC.replace("123456789012", "999999999999")
    assert post(amazon.told("gone", named(delivery), ADDRESS, TopicArn=foreign)).status_code == 403
    assert amazon.asked == [], "and nothing is fetched for it"
    settings.SES_TOPIC_ARNS = []
    assert post(amazon.told("gone", named(delivery), ADDRESS)).status_code == 404
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("hours", [-25, 25])
def test_what_was_signed_on_another_day_is_refused(
    amazon: Amazon, post: Send, delivery: Delivery, hours: int
) -> None:
    then = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert post(amazon.told("gone", named(delivery), ADDRESS, Timestamp=then)).status_code == 403
    assert not ProviderEvent.objects.exists()


def test_a_certificate_out_of_date_or_of_another_key_proves_nothing(
    amazon: Amazon, post: Send, delivery: Delivery
) -> None:
    one = amazon.told("gone", named(delivery), ADDRESS)
    amazon.present(days=-1)
    assert post(one).status_code == 403
    amazon.present(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert post(one).status_code == 403
    for junk in (b"", b"no certificate", b"x" * 40_000):
        amazon.present()
        amazon.certificate = junk
        assert post(one).status_code == 403
    amazon.present()
    amazon.certificate += b"\n" * 40_000
    assert post(one).status_code == 403
    assert not Suppression.objects.exists()
    assert not ProviderEvent.objects.exists()


def test_a_certificate_that_cannot_be_had_now_brings_the_post_back(
    amazon: Amazon, post: Send, delivery: Delivery
) -> None:
    one = amazon.told("gone", named(delivery), ADDRESS)
    amazon.status = 503
    assert post(one).status_code == 503
    amazon.status = 404
    assert post(one).status_code == 403
    amazon.status = 200
    assert post(one).status_code == 200
    assert ProviderEvent.objects.count() == 1


def test_a_server_that_nobody_vouches_for_is_not_asked(
    amazon: Amazon, post: Send, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert post(amazon.told("gone", named(delivery), ADDRESS)).status_code == 503
    assert amazon.asked == []


@pytest.mark.parametrize(
    "url",
    [
        CERTIFICATE.replace("https", "http"),
        CERTIFICATE.replace(".com/", ".com.evil.example/"),
        CERTIFICATE.replace("sns.", "evil.example/sns."),
        CERTIFICATE.replace("sns.", "sns-evil."),
        CERTIFICATE.replace("sns.", "user@sns."),
        CERTIFICATE.replace(".com/", ".com:8443/"),
        CERTIFICATE.replace(".com/", ".com@evil.example/"),
        CERTIFICATE.replace(".com/", ".com\\@evil.example/"),
        CERTIFICATE.replace(".com/", ".com/bucket/../"),
        CERTIFICATE + "?x=1",
        CERTIFICATE + "#x",
        CERTIFICATE + "\n",
        CERTIFICATE.replace("eu-west-1", "s3.eu-west-1"),
        "https://s3.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.amazonaws.com/SimpleNotificationService-0.pem",
        "https://[::1/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com:x/SimpleNotificationService-0.pem",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_lies_on_amazons_own_host_or_is_not_asked_for(
    amazon: Amazon, post: Send, delivery: Delivery, url: str
) -> None:
    assert not sns.is_amazons(url)
    one = amazon.told("gone", named(delivery), ADDRESS, SigningCertURL=url)
    assert post(one).status_code == 403
    assert amazon.asked == []
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("host", ["us-gov-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"])
def test_amazons_hosts_elsewhere_are_known(host: str) -> None:
    assert sns.is_amazons(f"https://sns.{host}/SimpleNotificationService-0a.pem")


def subscription(amazon: Amazon, **fields: str) -> Post:
    return amazon.signed(
        {
            "Type": "SubscriptionConfirmation",
            "Token": "2336412f37",
            "Message": "You have chosen to subscribe",
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
            **fields,
        }
    )


def test_a_subscription_to_our_topic_is_confirmed_and_to_no_other(amazon: Amazon, post: Send) -> None:
    assert post(subscription(amazon, TopicArn=TOPIC + "2")).status_code == 403
    assert post(altered(subscription(amazon), Token="another")).status_code == 403
    assert not [asked for asked in amazon.asked if "ConfirmSubscription" in asked]
    assert post(subscription(amazon)).status_code == 200
    (asked,) = [asked for asked in amazon.asked if "ConfirmSubscription" in asked]
    assert "Token=2336412f37" in asked


def test_a_subscription_that_cannot_be_confirmed_now_is_asked_again(amazon: Amazon, post: Send) -> None:
    assert post(amazon.signed({"Message": "nothing of SES"})).status_code == 400
    amazon.status = 500
    assert post(subscription(amazon)).status_code == 503


def test_what_does_not_know_the_secret_is_not_read(amazon: Amazon, post: Send) -> None:
    one = amazon.told("gone", {}, ADDRESS)
    bare = {name: value for name, value in one.headers.items() if name != "Authorization"}
    assert post(Post("amazon_ses", b"{", bare)).status_code == 401
    assert post(Post("amazon_ses", one.body, bare)).status_code == 401
    assert amazon.asked == []
