"""An import's way: batches, checkpoints, taking over, stopping, and ending."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from subscribers.admitting import admit_imported
from subscribers.importing import jobs, running
from subscribers.models import ConsentEvent, ImportJob, Subscriber, Topic
from tests.cast import NOON, a_reader
from tests.subscribers.importing.files import CONSENT, a_job, here, imported, many, noon, plain

pytestmark = pytest.mark.django_db
IMPORTING, CHECKING, READY = ImportJob.State.IMPORTING, ImportJob.State.CHECKING, ImportJob.State.READY


class PulledPlug(BaseException):
    """The process dies."""


@pytest.fixture(autouse=True)
def _batches_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 10)


def dies_after(rows: int) -> Any:
    """Return a progress that kills the process when so many rows are committed."""

    def progress(job: ImportJob) -> None:
        if job.done >= rows:
            raise PulledPlug

    return progress


def died(content: str, rows: int) -> ImportJob:
    """Return an import whose process died after so many rows."""
    job = a_job(content)
    with pytest.raises(PulledPlug):
        running.run(job.pk, clock=noon, progress=dies_after(rows))
    return job


def test_progress_is_told_after_each_batch() -> None:
    job, seen = a_job(plain(*many(25))), []
    running.run(job.pk, clock=noon, progress=lambda now: seen.append((now.done, now.total, now.rate > 0)))
    assert seen == [(10, 25, True), (20, 25, True), (25, 25, True)]


def test_an_import_that_died_goes_on_after_the_last_batch_with_nothing_doubled_and_nothing_lost() -> None:
    twice = many(25)[3]
    text = plain(*many(25), twice, "nonsense", *many(25, start=25))
    straight = imported(text).counts
    names = here()
    events = ConsentEvent.objects.count()
    Subscriber.objects.all().delete()
    ConsentEvent.objects.all()._raw_delete("default")

    job = died(text, 20)
    assert Subscriber.objects.count() == 20
    again = running.run(job.pk, clock=noon)
    assert again.state == ImportJob.State.DONE
    assert again.counts == straight  # the duplicate of a row committed before the end is told as one, too
    assert here() == names
    assert ConsentEvent.objects.count() == events == 50
    assert list(again.problems.values_list("line", "outcome")) == [(27, "duplicate"), (28, "invalid")]


def test_a_batch_is_all_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    job = a_job(plain(*many(15)))

    def breaks(*_given: object, **_more: object) -> None:
        raise PulledPlug

    with monkeypatch.context() as broken:
        broken.setattr(running, "_write_down", breaks)
        with pytest.raises(PulledPlug):
            running.run(job.pk, clock=noon)
    assert here() == set()
    job.refresh_from_db()
    assert job.done == 0
    assert running.run(job.pk, clock=noon).counts == {"new": 15}


def test_a_process_that_comes_back_after_somebody_took_over_commits_nothing() -> None:
    job = a_job(plain(*many(30)))

    def takes_over(_job: ImportJob) -> None:
        running.run(job.pk, clock=noon)

    late = running.run(job.pk, clock=noon, progress=lambda now: takes_over(now) if now.done == 10 else None)
    assert late.state == ImportJob.State.DONE
    assert late.counts == {"new": 30}
    assert Subscriber.objects.count() == 30


def test_stopping_takes_effect_before_the_next_batch_and_who_came_in_stays() -> None:
    job = a_job(plain(*many(30)))
    stopped = running.run(
        job.pk, clock=noon, progress=lambda now: now.done == 10 and jobs.cancel(now.pk, at=NOON)
    )
    assert stopped.state == ImportJob.State.CANCELLED
    assert len(here()) == 10
    assert not jobs.path_of(stopped).exists()
    with pytest.raises(jobs.ImportJobError, match="cancelled"):
        running.run(job.pk, clock=noon)


def test_when_the_time_is_up_the_job_waits_for_the_next_worker() -> None:
    job = a_job(plain(*many(25)))
    for rows in (10, 20, 25):
        running.work(clock=noon, seconds=0)
        job.refresh_from_db()
        assert job.done == rows
    assert job.state == ImportJob.State.DONE


def test_a_worker_leaves_alone_what_another_one_is_at_until_its_lease_is_over() -> None:
    job = died(plain(*many(25)), 10)
    running.work(clock=noon, seconds=60)
    job.refresh_from_db()
    assert job.done == 10
    running.work(clock=lambda: NOON + ImportJob.LEASE + timedelta(seconds=1), seconds=60)
    job.refresh_from_db()
    assert job.state == ImportJob.State.DONE


def test_a_worker_waits_for_the_confirmation_after_a_dry_run() -> None:
    job = a_job(plain(*many(5)), state=CHECKING)
    running.work(clock=noon, seconds=60)
    running.work(clock=noon, seconds=60)
    job.refresh_from_db()
    assert (job.state, here()) == (READY, set())
    jobs.confirm(job.pk)
    running.work(clock=noon, seconds=60)
    job.refresh_from_db()
    assert (job.state, len(here())) == (ImportJob.State.DONE, 5)


def test_confirming_starts_the_account_afresh() -> None:
    job = a_job(plain("nonsense", *many(3)), state=CHECKING)
    running.run(job.pk, clock=noon)
    a_reader(many(1)[0])  # signs up between the dry run and the import
    jobs.confirm(job.pk)
    done = running.run(job.pk, clock=noon)
    assert done.forecast == {"new": 3, "invalid": 1}
    assert done.counts == {"new": 2, "here": 1, "invalid": 1}
    assert done.problems.count() == 1


def test_nothing_can_be_confirmed_twice_or_stopped_when_over() -> None:
    job = a_job(plain(*many(3)), state=CHECKING)
    with pytest.raises(jobs.ImportJobError, match="nothing to confirm"):
        jobs.confirm(job.pk)
    running.run(job.pk, clock=noon)
    jobs.confirm(job.pk)
    with pytest.raises(jobs.ImportJobError, match="nothing to confirm"):
        jobs.confirm(job.pk)
    running.run(job.pk, clock=noon)
    with pytest.raises(jobs.ImportJobError, match="done already"):
        jobs.cancel(job.pk, at=NOON)


def test_somebody_who_signs_up_during_the_batch_is_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    collided: list[bool] = []

    def late(*given: Any, **more: Any) -> None:
        if not collided:
            collided.append(True)
            with transaction.atomic():
                a_reader("reader3@example.org")
            raise IntegrityError
        admit_imported(*given, **more)

    monkeypatch.setattr(running, "admit_imported", late)
    assert imported(plain(*many(5))).counts == {"new": 5}  # the collision's own row was rolled back with it


def test_a_collision_that_does_not_end_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(*_given: object, **_more: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(running, "admit_imported", always)
    with pytest.raises(IntegrityError):
        imported(plain(*many(5)))


def test_an_import_that_dies_again_and_again_is_given_up_with_a_sentence() -> None:
    job = a_job(plain(*many(5)))
    ImportJob.objects.filter(pk=job.pk).update(attempts=running.MOST_ATTEMPTS)
    given_up = running.run(job.pk, clock=noon)
    assert given_up.state == ImportJob.State.FAILED
    assert given_up.problem.startswith("It stopped 5 times after row 0.")
    assert not jobs.path_of(given_up).exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("name\nAda\n", "The first line does not"), ("email\n", "The file has a header")],
)
def test_a_file_that_cannot_be_used_fails_with_a_sentence_and_is_deleted(content: str, sentence: str) -> None:
    job = imported(content)
    assert (job.state, job.problem[:21]) == (ImportJob.State.FAILED, sentence[:21])
    assert not jobs.path_of(job).exists()


def test_a_file_that_is_gone_fails_with_a_sentence() -> None:
    job = a_job(plain(*many(5)))
    jobs.path_of(job).unlink()
    assert running.run(job.pk, clock=noon).problem.startswith("Its file is not on this machine any more")


def test_a_fault_of_ours_is_raised_and_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_hashed: str) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("subscribers.importing.resource.address_hash", broken)
    with pytest.raises(ZeroDivisionError):
        imported(plain(*many(5)))
    assert here() == set()


def test_the_file_is_ours_alone_and_goes_with_the_examples_when_it_has_served() -> None:
    job = a_job(plain(*many(3)), state=CHECKING)
    path = jobs.path_of(job)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    ready = running.run(job.pk, clock=noon)
    assert ready.examples == {"new": [[number + 2, f"reader{number}@example.org", ""] for number in range(3)]}
    jobs.confirm(job.pk)
    done = running.run(job.pk, clock=noon)
    assert done.examples == {}
    assert not path.exists()


def test_at_most_fifty_examples_of_each_outcome_are_kept() -> None:
    job = a_job(plain(*many(70)), state=CHECKING)
    assert len(running.run(job.pk, clock=noon).examples["new"]) == 50


def test_what_nobody_confirmed_for_a_week_is_cancelled_and_its_file_deleted() -> None:
    old = a_job(plain(*many(3)), state=CHECKING, at=NOON - timedelta(days=8))
    running.run(old.pk, clock=noon)
    young = a_job(plain(*many(3)), state=CHECKING)
    jobs.discard_old(NOON)
    old.refresh_from_db()
    assert (old.state, old.examples) == (ImportJob.State.CANCELLED, {})
    assert not jobs.path_of(old).exists()
    assert jobs.path_of(young).exists()


def test_a_file_without_a_job_is_deleted_after_an_hour() -> None:
    orphan = jobs.folder() / "orphan.csv"
    orphan.write_text("email\n")
    made = orphan.stat().st_mtime
    at = NOON.fromtimestamp(made, NOON.tzinfo)
    assert jobs.discard_old(at + timedelta(minutes=30)) == 0
    assert jobs.discard_old(at + timedelta(minutes=90)) == 1
    assert not orphan.exists()


@pytest.mark.parametrize("statement", ["", "   ", "consent", "x" * 501])
def test_without_a_statement_of_consent_nothing_is_taken(statement: str) -> None:
    before = set(jobs.folder().iterdir())
    with pytest.raises(jobs.ImportJobError, match="Say in a sentence where and when"):
        jobs.open_job([b"email\n"], name="a.csv", consent_source=statement, state=IMPORTING, at=NOON)
    assert not ImportJob.objects.exists()
    assert set(jobs.folder().iterdir()) == before


def test_a_file_larger_than_the_bound_is_refused_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LARGEST", 1 << 20)
    before = set(jobs.folder().iterdir())
    with pytest.raises(jobs.ImportJobError, match="larger than 1 MB"):
        jobs.open_job(
            (b"x" * 65_536 for _ in range(20)), name="a.csv", consent_source=CONSENT, state=IMPORTING, at=NOON
        )
    assert set(jobs.folder().iterdir()) == before


def test_inactive_topics_are_no_topics() -> None:
    Topic.objects.update(active=False)
    assert imported("email,topics\nada@example.org,robotics\n").tags == {"robotics": [1, ""]}


def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        imported(plain("ada@example.org", "nonsense@", "ada@example.org"))
    assert "import_done" in caplog.text
    assert "ada@" not in caplog.text
    assert "nonsense" not in caplog.text
