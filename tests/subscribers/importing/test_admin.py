"""The curators' pages of imports: upload, dry run, confirm, watch, stop; and the export."""

import csv
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from subscribers.admin.progress import time_left
from subscribers.importing import jobs, running
from subscribers.models import AuditEvent, ConsentEvent, ImportJob, Suppression
from tests.cast import a_reader
from tests.subscribers.importing.files import CONSENT, a_job, here, many, noon, plain

pytestmark = pytest.mark.django_db
ADD = reverse("admin:subscribers_importjob_add")
EXPORT = reverse("admin:subscribers_export")


@pytest.fixture
def curator(client: Client) -> Client:
    """A client logged in with every permission."""
    client.force_login(User.objects.create_superuser("ada", "ada@example.org", "pw"))
    return client


def somebody_with(client: Client, *permissions: str) -> Client:
    """Log a staff member in who has just these permissions."""
    user = User.objects.create_user("ben", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def upload(client: Client, content: str, **fields: str) -> Any:
    """Send the upload form."""
    file = SimpleUploadedFile("readers.csv", content.encode(), content_type="text/csv")
    return client.post(ADD, {"file": file, "format": "", "consent_source": CONSENT, **fields})


def page(job: ImportJob) -> str:
    """Return where the import's page is."""
    return reverse("admin:subscribers_importjob_change", args=[job.pk])


def test_from_upload_over_dry_run_and_confirmation_to_readers(curator: Client) -> None:
    answer = upload(curator, plain("ada@example.org", "nonsense"))
    job = ImportJob.objects.get()
    assert answer["Location"] == page(job)
    assert (job.state, job.created_by, job.consent_source) == ("checking", User.objects.get(), CONSENT)
    watched = curator.get(page(job))
    assert watched["Refresh"] == "3"
    assert "being looked through" in watched.content.decode()

    running.run(job.pk, clock=noon)
    ready = curator.get(page(job))
    assert "Refresh" not in ready
    assert "Import 1 reader<" in ready.content.decode().replace("\n", "")
    assert here() == set()

    assert curator.post(page(job), {"deed": "confirm"})["Location"] == page(job)
    assert LogEntry.objects.filter(change_message="confirmed").count() == 1
    running.run(job.pk, clock=noon)
    assert here() == {"ada@example.org"}
    assert "1 new reader came in." in curator.get(page(job)).content.decode()
    assert ConsentEvent.objects.get().import_job == job


def test_looking_at_a_page_changes_nothing(curator: Client) -> None:
    job = a_job(plain(*many(3)), state=ImportJob.State.CHECKING)
    running.run(job.pk, clock=noon)
    before = ImportJob.objects.values().get()
    for address in (
        page(job),
        f"{page(job)}?deed=confirm",
        EXPORT,
        reverse("admin:subscribers_importjob_changelist"),
    ):
        assert curator.get(address).status_code == 200
        assert curator.head(address).status_code == 200
    assert ImportJob.objects.values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("consent_source", "yes", "Say in a sentence where and when these readers agreed"),
        ("consent_source", "", "This field is required."),
        ("file", "", "This field is required."),
        ("format", "outlook", "Select a valid choice."),
    ],
)
def test_an_upload_that_lacks_something_is_told_and_keeps_what_was_typed(
    curator: Client, field: str, value: str, sentence: str
) -> None:
    answer = upload(curator, plain("ada@example.org"), **{field: value})
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    if field != "consent_source":
        assert CONSENT.partition("'")[0] in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_a_file_too_large_is_told(curator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LARGEST", 1 << 20)
    answer = upload(curator, "email\n" + "x" * (1 << 20))
    assert "The file is larger than 1 MB." in answer.content.decode()


def test_stopping_while_it_runs(curator: Client) -> None:
    job = a_job(plain(*many(3)))
    curator.post(page(job), {"deed": "cancel"})
    job.refresh_from_db()
    assert job.state == "cancelled"
    curator.post(page(job), {"deed": "confirm"})
    assert "there is nothing to confirm" in curator.get(page(job)).content.decode()


def test_a_failed_import_says_why(curator: Client) -> None:
    job = a_job("name\nAda\n", state=ImportJob.State.CHECKING)
    running.run(job.pk, clock=noon)
    assert "A plain file needs a column email." in curator.get(page(job)).content.decode()


def test_addresses_are_whole_only_for_those_who_may_see_readers(client: Client) -> None:
    job = a_job(plain("ada.lovely@example.org", "secret-and-no-address"), state=ImportJob.State.CHECKING)
    running.run(job.pk, clock=noon)
    somebody_with(client, "view_importjob")
    masked = client.get(page(job)).content.decode()
    assert "ada.lovely" not in masked
    assert "secret-and" not in masked
    assert "a•••@example.org" in masked
    assert 'value="confirm"' not in masked
    client.logout()
    User.objects.all().delete()
    somebody_with(client, "view_importjob", "view_subscriber")
    assert "ada.lovely@example.org" in client.get(page(job)).content.decode()


def test_examples_keep_addresses_and_reasons_apart_and_say_when_there_are_more(curator: Client) -> None:
    rows = ["nonsense", "ada@example.org", "ada@example.org", '"open']
    few = running.run(a_job(plain(*rows), state=ImportJob.State.CHECKING).pk, clock=noon)
    tables = {each["title"]: each["table"] for each in curator.get(page(few)).context["examples"]}
    assert tables["New readers: 1"] == {"headers": ["Line", "Address"], "rows": [[3, "ada@example.org"]]}
    unread = tables["Cannot be read: 2"]
    assert unread["headers"] == ["Line", "Address", "Reason"]
    assert unread["rows"][0] == [2, "nonsense", "An email address looks like name@example.org."]
    assert unread["rows"][1][1] == ""
    assert "quotation mark" in unread["rows"][1][2]
    many_more = running.run(a_job(plain(*many(51)), state=ImportJob.State.CHECKING).pk, clock=noon)
    assert "New readers: the first 50 of 51" in curator.get(page(many_more)).content.decode()


def test_the_consent_log_shows_the_statement_that_a_reader_came_in_with(curator: Client) -> None:
    running.run(a_job(plain("ada@example.org")).pk, clock=noon)
    event = ConsentEvent.objects.get()
    for address in (
        reverse("admin:subscribers_consentevent_changelist"),
        reverse("admin:subscribers_consentevent_change", args=[event.pk]),
    ):
        assert CONSENT in unescape(curator.get(address).content.decode())


def test_nobody_acts_or_looks_without_permission(client: Client) -> None:
    job = a_job(plain(*many(3)), state=ImportJob.State.CHECKING)
    running.run(job.pk, clock=noon)
    somebody_with(client, "view_importjob")
    assert client.post(page(job), {"deed": "confirm"}).status_code == 403
    assert client.get(ADD).status_code == 403
    assert client.get(EXPORT).status_code == client.post(EXPORT).status_code == 403
    User.objects.all().delete()
    client.logout()
    somebody_with(client, "view_topic")
    assert client.get(page(job)).status_code == 403
    assert client.get(reverse("admin:import_problems", args=[job.pk])).status_code == 403
    job.refresh_from_db()
    assert job.state == "ready"


def test_the_problems_come_as_csv_with_line_and_reason_and_no_address(curator: Client) -> None:
    rows = ["ada@example.org", "ada@example.org", "=nonsense", '"open']
    job = running.run(a_job(plain(*rows)).pk, clock=noon)
    where = reverse("admin:import_problems", args=[job.pk])
    assert f'action="{where}"' in curator.get(page(job)).content.decode()
    assert curator.get(where).status_code == 403
    answer = curator.post(where)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert [row[:2] for row in csv.reader(text.splitlines())] == [
        ["line", "outcome"],
        ["3", "duplicate"],
        ["4", "invalid"],
        ["5", "invalid"],
    ]
    assert "ada@" not in text
    taken = AuditEvent.objects.get(kind=AuditEvent.Kind.EXPORTED)
    assert (taken.about, taken.detail) == (f"import {job.pk} problems", "line, outcome, reason")


def test_a_file_of_bounced_addresses_alone_can_be_confirmed_too(curator: Client) -> None:
    job = a_job("email,status\nada@example.org,bounced\n", state=ImportJob.State.CHECKING)
    running.run(job.pk, clock=noon)
    assert "Put 1 address on the suppression list" in curator.get(page(job)).content.decode()
    curator.post(page(job), {"deed": "confirm"})
    running.run(job.pk, clock=noon)
    assert Suppression.objects.count() == 1


def test_a_file_with_nobody_to_import_offers_no_button(curator: Client) -> None:
    job = a_job(plain("nonsense"), state=ImportJob.State.CHECKING)
    running.run(job.pk, clock=noon)
    shown = curator.get(page(job)).content.decode()
    assert "So there is nothing to import." in shown
    assert 'value="confirm"' not in shown


def test_an_import_is_never_deleted_since_it_holds_the_proof(curator: Client) -> None:
    job = a_job(plain(*many(1)))
    assert curator.post(reverse("admin:subscribers_importjob_delete", args=[job.pk])).status_code == 403


def test_readers_go_out_by_a_post_that_is_written_down(curator: Client) -> None:
    a_reader("ada@example.org")
    answer = curator.post(EXPORT, {"status": "active", "format": "plain"})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.splitlines()[1].startswith("ada@example.org,")
    assert answer["Content-Disposition"] == 'attachment; filename="readers-active-plain.csv"'
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == ("1 readers (active)", "Exported as plain CSV.")
    assert curator.post(EXPORT, {"status": "x", "format": "plain"}).status_code == 200
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("done", "rate", "words"),
    [(0, 0.0, ""), (500, 100.0, "less than a minute"), (0, 5.0, "about 3 min"), (1_000, 5.0, "")],
)
def test_the_time_left_is_told_in_words(done: int, rate: float, words: str) -> None:
    assert time_left(ImportJob(total=1_000, done=done, rate=rate)) == words
