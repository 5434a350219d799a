"""Who comes in by a file, who does not, and who never again."""

from datetime import UTC, datetime, timedelta

import pytest

from subscribers import lifecycle
from subscribers.addresses import address_hash
from subscribers.consent import Trace, record
from subscribers.importing.outcomes import Outcome
from subscribers.models import ConsentEvent, ImportJob, Interest, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, a_topic
from tests.subscribers.importing.files import CONSENT, MAILCHIMP, here, imported, looked_through, plain, told

pytestmark = pytest.mark.django_db
TRACE = Trace("test")


def suppressed() -> dict[str, str]:
    """Return {hash: reason}."""
    return dict(Suppression.objects.values_list("address_hash", "reason"))


def test_a_reader_comes_in_active_with_topics_words_and_the_proof_of_consent() -> None:
    vision = a_topic("computer-vision", name="Computer Vision")
    job = imported(
        "email,topics,words,time_zone,frequency,subscribed_at\n"
        'Ada@Example.org,"COMPUTER vision, cooking","point clouds\n Point  clouds\nsplatting",'
        "Asia/Tokyo,weekly,2025-03-01\n"
    )
    reader = Subscriber.objects.get()
    agreed = datetime(2025, 3, 1, tzinfo=UTC)
    assert (reader.address, reader.status, reader.status_at) == ("Ada@example.org", "active", NOON)
    assert (reader.time_zone, reader.frequency, reader.created_at) == ("Asia/Tokyo", "weekly", agreed)
    assert list(reader.topics.all()) == [vision]
    assert list(reader.interests.order_by("pk").values_list("text", flat=True)) == [
        "point clouds",
        "splatting",
    ]
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.at) == ("imported", "import", agreed)
    assert event.subscriber == reader
    assert event.import_job == job
    assert job.consent_source == CONSENT
    assert job.tags == {"COMPUTER vision": [1, "computer-vision"], "cooking": [1, ""]}


def test_without_a_moment_in_the_file_the_import_is_the_moment() -> None:
    imported(plain("ada@example.org"))
    assert ConsentEvent.objects.get().at == NOON
    assert Subscriber.objects.get().created_at == NOON


def test_a_moment_in_the_future_counts_as_none() -> None:
    imported(f"email,subscribed_at\nada@example.org,{(NOON + timedelta(days=1)).isoformat()}\n")
    assert ConsentEvent.objects.get().at == NOON


def test_no_mail_leaves_and_nobody_counts_as_just_confirmed() -> None:
    imported(plain("ada@example.org"))
    assert not SystemMail.objects.exists()
    assert Subscriber.objects.get().confirmed_at is None  # else the welcome goes to all of them at once


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    a_reader("ben@example.org")
    text = plain("ada@example.org", "ben@example.org", "nonsense", "ADA@example.org")
    dry = looked_through(text)
    assert dry.state == ImportJob.State.READY
    assert dry.forecast == {"new": 1, "here": 1, "invalid": 1, "duplicate": 1}
    assert here() == {"ben@example.org"}
    assert not ConsentEvent.objects.exists()
    assert imported(text).counts == dry.forecast


def test_existing_readers_stay_as_they_are() -> None:
    speech = a_topic("speech")
    a_reader("ben@example.org", speech, frequency="weekly")
    a_reader("pia@example.org", status=Subscriber.Status.PENDING)
    job = imported("email,topics,frequency\nben@example.org,robotics,daily\npia@example.org,robotics,daily\n")
    ben = Subscriber.objects.get(address="ben@example.org")
    assert (ben.frequency, list(ben.topics.all())) == ("weekly", [speech])
    assert Subscriber.objects.get(address="pia@example.org").status == "pending"
    assert job.counts == {"here": 2}
    assert told(job) == []


def test_suppressed_withdrawn_and_erased_never_come_back() -> None:
    bounced, left, erased = (a_reader(f"{name}@example.org") for name in ("bo", "le", "er"))
    lifecycle.suppress(address_hash("stranger@example.org"), Suppression.Reason.COMPLAINT, "test", at=NOON)
    lifecycle.suppress(bounced.address_hash, Suppression.Reason.BOUNCE, "test", at=NOON)
    lifecycle.unsubscribe(left.public_id, at=NOON, trace=TRACE)
    lifecycle.erase(erased.public_id, at=NOON, trace=TRACE)
    file = plain("bo@example.org", "le@example.org", "ER@example.org", "stranger@example.org")
    job = imported(file)
    assert here() == set()
    assert told(job) == [(2, "suppressed"), (4, "withdrawn"), (5, "suppressed")]
    assert job.counts == {"suppressed": 2, "here": 1, "withdrawn": 1}
    assert Subscriber.objects.get(address="le@example.org").status == "unsubscribed"


def test_who_left_is_known_by_the_consent_log_alone_and_the_last_word_counts() -> None:
    for name, kinds in {
        "gone": ["confirmed", "withdrawn"],
        "asked": ["confirmed", "withdrawn", "requested"],
        "back": ["withdrawn", "resumed", "changed"],
    }.items():
        reader = a_reader(f"{name}@example.org")
        for kind in kinds:
            record(reader, ConsentEvent.Kind(kind), TRACE, at=NOON)
        reader.delete()
    imported(plain("gone@example.org", "asked@example.org", "back@example.org"))
    assert here() == {"back@example.org"}


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("unsubscribed", "not_subscribed", None),
        ("pending", "not_subscribed", None),
        ("bounced", "bounced", "bounce"),
        ("complained", "bounced", "complaint"),
        ("blocked", "bounced", "request"),
    ],
)
def test_undeliverable_addresses_go_onto_the_list_and_those_who_left_do_not(
    status: str, outcome: str, reason: str | None
) -> None:
    job = imported(f"email,status\nada@example.org,{status}\n")
    assert here() == set()
    assert told(job) == [(2, outcome)]
    assert suppressed() == ({address_hash("ada@example.org"): reason} if reason else {})


def test_a_reader_of_ours_is_not_suppressed_because_another_list_once_failed_to_reach_them() -> None:
    a_reader("ada@example.org")
    imported("email,status\nada@example.org,bounced\n")
    assert here() == {"ada@example.org"}
    assert suppressed() == {}


def test_a_suppression_stays_as_it_was() -> None:
    lifecycle.suppress(address_hash("ada@example.org"), Suppression.Reason.COMPLAINT, "webhook", at=NOON)
    imported("email,status\nada@example.org,bounced\n")
    assert Suppression.objects.get().source == "webhook"


def test_of_two_rows_the_first_counts_and_the_second_is_told() -> None:
    job = imported("email,frequency\nada@example.org,weekly\nADA@EXAMPLE.ORG,daily\n")
    assert Subscriber.objects.get().frequency == "weekly"
    assert told(job) == [(3, "duplicate")]


@pytest.mark.parametrize(
    "rows", [("active", "unsubscribed"), ("active", "bounced"), ("unsubscribed", "active")]
)
def test_who_left_on_any_row_of_the_file_does_not_come_in_by_another(rows: tuple[str, str]) -> None:
    job = imported("email,status\n" + "".join(f"ada@example.org,{status}\n" for status in rows))
    assert here() == set()
    assert [outcome for _, outcome in told(job)][1] == "duplicate"
    assert bool(suppressed()) == ("bounced" in rows)


def test_a_bad_row_does_not_stand_in_the_way_of_a_good_one_of_the_same_reader() -> None:
    job = imported("email,time_zone\nada@example.org,Mars/Olympus\nada@example.org,Asia/Tokyo\n")
    assert here() == {"ada@example.org"}
    assert told(job) == [(2, "invalid")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nonsense,,,", "An email address looks like name@example.org."),
        (
            ",,,x",
            "Please write your email address. “x” is too short to look for. Write two characters or more.",
        ),
        (
            "ada@example.org,Mars/Olympus,,",
            "There is no time zone “Mars/Olympus”. Write it like Europe/Berlin, or leave it out.",
        ),
        ("ada@example.org,,hourly,", "frequency is one of daily, weekdays, weekly, or left out."),
        ("ada@example.org,,,x", "“x” is too short to look for. Write two characters or more."),
        (
            "ada@example.org,../../etc,,",
            "There is no time zone “../../etc”. Write it like Europe/Berlin, or leave it out.",
        ),
    ],
)
def test_each_bad_row_is_told_with_its_line_and_reason_and_the_good_ones_are_kept(
    row: str, reason: str
) -> None:
    job = imported(f"email,time_zone,frequency,words\nben@example.org,,,\n{row}\ncleo@example.org,,,\n")
    assert here() == {"ben@example.org", "cleo@example.org"}
    assert list(job.problems.values_list("line", "outcome", "reason")) == [(3, "invalid", reason)]


def test_what_cannot_be_used_of_a_good_row_is_told_by_its_line_and_the_reader_comes_in_all_the_same() -> None:
    rows = (
        "ada@example.org,yesterday,Asia/Tokyo\n"
        "ben@example.org,2024-03-01 10:00:00,Mars/Olympus\n"
        "cleo@example.org,2024-03-01 10:00:00,\n"
        "ADA@example.org,yesterday,\n"
    )
    file = f"Email Address,OPTIN_TIME,TIMEZONE\n{rows}"
    assert looked_through(file).forecast == {"new": 3, "doubted": 2, "duplicate": 1}
    job = imported(file)
    assert told(job) == [(2, "doubted"), (3, "doubted"), (5, "duplicate")]
    zones = dict(Subscriber.objects.values_list("address", "time_zone"))
    assert zones == {"ada@example.org": "Asia/Tokyo", "ben@example.org": "UTC", "cleo@example.org": "UTC"}
    assert ConsentEvent.objects.get(subscriber__address="ada@example.org").at == NOON
    assert "@" not in "".join(job.problems.values_list("reason", flat=True))


def test_names_are_kept_nowhere() -> None:
    imported(f'{MAILCHIMP}\nada@example.org,Leonor,Quistgaard,2,,,1,ab,"a note",\n')
    for model in (Subscriber, Interest, ConsentEvent, ImportJob):
        rows = str(list(model._default_manager.values()))
        assert "Quistgaard" not in rows
        assert "a note" not in rows


def test_every_outcome_is_told_to_people_in_words() -> None:
    assert all(label[0].isupper() for label in Outcome.labels)
