"""Odd addresses, each taken in one exact form or refused with a sentence, by the function and by the form."""

import itertools
import json
import re
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from subscribers import limits, outbox, signups
from subscribers.addresses import AddressError, normalise
from subscribers.models import SignupRequest, Subscriber
from tests.cast import NOON
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.door.visits import sign_up

TABLE = Path(__file__).with_name("odd_addresses.tsv").read_text(encoding="utf-8")
#: [(what was typed, what is stored or "! " and a sentence)]
ODD: list[tuple[str, str]] = [
    (json.loads(typed), outcome)
    for typed, outcome in (line.split("\t") for line in TABLE.splitlines() if not line.startswith("#"))
]
ACCEPTED = [(typed, outcome) for typed, outcome in ODD if not outcome.startswith("! ")]
REFUSED = [(typed, outcome.removeprefix("! ")) for typed, outcome in ODD if outcome.startswith("! ")]


@pytest.fixture
def _no_limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many spellings of one address come in a row; how many a day is another test's."""
    settings.SIGNUPS_PER_NETWORK = settings.SIGNUPS_PER_DOMAIN = settings.SIGNUPS_PER_HOUR = 10**6
    monkeypatch.setattr(limits, "SIGNUPS_PER_ADDRESS", 10**6)


def told(given: str) -> str:
    """Return the outcome as the table writes it."""
    try:
        return normalise(given)
    except AddressError as refusal:
        return f"! {refusal}"


def test_the_table_is_large_and_holds_each_address_once() -> None:
    assert len({typed for typed, _ in ODD}) == len(ODD) >= 300
    assert min(len(ACCEPTED), len(REFUSED)) > 100


def test_each_is_stored_as_the_table_has_it_or_refused_with_its_sentence() -> None:
    assert [(typed, told(typed)) for typed, _ in ODD] == ODD


def test_what_is_stored_is_plain_and_is_stored_again_as_it_is() -> None:
    for _, stored in ACCEPTED:
        assert stored.isascii()
        assert stored.isprintable()
        assert stored.count("@") == 1
        assert not re.search(r'[\s"\\,;:<>()\[\]!%]', stored)
        assert normalise(stored) == stored


def test_each_refusal_is_a_sentence_that_shows_nothing_of_what_was_typed() -> None:
    sentences = {sentence for _, sentence in REFUSED}
    assert all(re.fullmatch(r"[A-Z][^\n]*\.", sentence) for sentence in sentences)
    assert len(sentences) == 13


def test_look_alikes_are_never_the_mailbox_they_look_like() -> None:
    """Of those typed with a letter outside ASCII before the @, none is accepted."""
    assert not [typed for typed, _ in ACCEPTED if not typed.strip().rpartition("@")[0].isascii()]


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_limits")
def test_the_form_takes_or_refuses_each_as_the_table_has_it(client: Client) -> None:
    with time_machine.travel(NOON, tick=False):
        for typed, outcome in ODD:
            response = sign_up(client, address=typed, words="kept words")
            if outcome.startswith("! "):
                page = response.content.decode()
                assert (response.status_code, typed) == (422, typed)
                assert escape(outcome.removeprefix("! ")) in page
                assert "kept words" in page
                assert not SignupRequest.objects.exists()
            else:
                assert (response.status_code, typed) == (303, typed)
                assert SignupRequest.objects.get().address == outcome
                SignupRequest.objects.all().delete()


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_limits")
def test_the_mail_goes_to_the_stored_form_and_nowhere_else(client: Client, settings: Settings) -> None:
    with SmtpSink() as sink, time_machine.travel(NOON, tick=False):
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        for typed, _ in ACCEPTED:
            assert sign_up(client, address=typed).status_code == 303
        while signups.take_in(at=NOON):
            pass
        outbox.deliver_due(at=NOON, limit=1000)
        wanted = {outcome.casefold() for _, outcome in ACCEPTED}
        went = list(itertools.chain.from_iterable(received.recipients for received in sink.received))
    assert len(went) == len(wanted) == Subscriber.objects.count()
    assert {address.casefold() for address in went} == wanted
    assert set(went) <= {outcome for _, outcome in ACCEPTED}
