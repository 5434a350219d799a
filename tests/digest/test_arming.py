"""Letting a database send again: who is asked, what expires, and what never comes back."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from digest import enrolling, guarding, witness
from digest.delivery.run import Worker, run
from digest.models import Delivery, Edition, Guard
from digest.witness import Mark
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.sinks.smtp_sink import SmtpSink

EIGHT = NOON - timedelta(hours=4)
State = Delivery.State


@pytest.fixture
def edition() -> Edition:
    for _ in range(4):
        a_reader()
    edition = a_frozen_edition(EIGHT.date(), a_paper(), a_paper(), approved_at=EIGHT)
    enrolling.enroll(edition, at=EIGHT)
    return edition


def deliver() -> None:
    worker = Worker(lambda: EIGHT)
    try:
        run(worker)
    finally:
        worker.close()


def states() -> set[str]:
    return set(Delivery.objects.values_list("state", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_arming_where_nothing_is_wrong_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("arm", "--yes")
    assert "there is nothing to do" in capsys.readouterr().out
    assert states() == {State.READY}


@pytest.mark.django_db(transaction=True)
def test_arming_asks_and_takes_no_for_an_answer(
    edition: Edition, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guarding.look(at=EIGHT)
    witness.tell(Mark(guarding.guard().lineage, 9))
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        call_command("arm")
    said = capsys.readouterr().out
    assert "9 groups of digests left" in said
    assert f"The edition of {edition.day} (sending) expires, with 4 waiting digests." in said
    assert states() == {State.READY}
    with pytest.raises(CommandError, match="leave out --nothing-is-missing"):
        call_command("arm", "--yes", "--nothing-is-missing")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_what_was_moved_and_not_restored_may_go_on_where_it_was(smtp_sink: SmtpSink) -> None:
    Guard.objects.update_or_create(pk=1, defaults={"generation": 5})
    deliver()
    assert guarding.guard().why == guarding.MISSING
    call_command("arm", "--yes", "--nothing-is-missing")
    deliver()
    assert len(smtp_sink.received) == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_who_confirmed_before_the_arming_gets_no_second_welcome() -> None:
    a_reader("early@example.org", confirmed_at=NOON - timedelta(hours=2))
    a_reader("late@example.org", confirmed_at=NOON + timedelta(minutes=5))
    Guard.objects.update_or_create(pk=1, defaults={"armed_at": NOON})
    assert enrolling.welcome(at=NOON + timedelta(minutes=10)) == 1
    assert Delivery.objects.filter(subscriber__address="late@example.org").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_the_database_that_was_left_behind_sends_no_more_once_another_is_armed() -> None:
    guarding.look(at=EIGHT)
    before = Guard.objects.values().get()
    witness.tell(Mark(before["lineage"], 9))
    call_command("arm", "--yes")
    assert guarding.look(at=EIGHT) is not None
    Guard.objects.update(**{**before, "generation": 50})
    assert guarding.look(at=EIGHT) is None
    assert guarding.guard().why == guarding.FOREIGN
