"""Files that mean harm, or have come to some: what is good in them comes in, and the rest is told."""

import codecs
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.models import ImportJob, Subscriber
from tests.subscribers.importing.files import here, imported, plain, told

pytestmark = pytest.mark.django_db
ODD = [
    "ada@example.org\u202e",
    "<script>@example.org",
    "ada@example.org\x0bBcc: x@example.org",
    "ada@exa mple.org",
    "a" * 400 + "@example.org",
    "ада@example.org",
    "ada@localhost",
    "ada@[127.0.0.1]",
    '""ada""@example.org',
    "ada@example.org;ben@example.org",
    "'; DROP TABLE subscribers_subscriber; --@x",
    "=HYPERLINK(1)",
    "{{ settings.SECRET_KEY }}",
]


def test_odd_addresses_are_told_line_by_line_and_stop_nobody() -> None:
    rows = [cell for odd in ODD for cell in (f'"{odd}"', f"good{ODD.index(odd)}@example.org")]
    job = imported(plain(*rows))
    assert here() == {f"good{number}@example.org" for number in range(len(ODD))}
    assert told(job) == [(2 * number + 2, "invalid") for number in range(len(ODD))]


@pytest.mark.parametrize(
    "data",
    [
        plain("ada@example.org").encode("utf-16"),
        plain("ada@example.org").encode("utf-16-be"),
        codecs.BOM_UTF8 + plain("ada@example.org").encode(),
        plain("ada@example.org").replace("\n", "\r\n").encode(),
        plain("ada@example.org").replace("\n", "\r").encode(),
        plain("ada@example.org").rstrip().encode(),
        b"\n\n" + plain("ada@example.org").encode(),
        "email;words\nada@example.org;détection\n".encode("cp1252"),
        "email\twords\nada@example.org\tdétection\n".encode(),
    ],
)
def test_all_the_ways_a_spreadsheet_saves_a_file_are_read(data: bytes) -> None:
    job = imported(data)
    assert (job.state, here()) == (ImportJob.State.DONE, {"ada@example.org"})


def test_words_in_windows_1252_are_read_and_the_guess_is_told() -> None:
    job = imported("email,words\nada@example.org,“détection”\n".encode("cp1252"))
    assert Subscriber.objects.get().interests.get().text == "“détection”"
    assert job.encoding.startswith("Windows-1252 (it is no valid UTF-8, so this is a guess")


def test_damage_costs_the_rows_it_touches() -> None:
    job = imported(
        b'email,topics\na@example.org,x\n\0\0,\nb@example.org,"open\nc@example.org,\n'
        + b"d" * 1_000_000
        + b",\ne@example.org,\n"
    )
    assert here() == {"a@example.org", "c@example.org", "e@example.org"}
    assert told(job) == [(3, "invalid"), (4, "invalid"), (6, "invalid")]


def test_a_file_of_noise_fails_with_a_sentence() -> None:
    job = imported(random.Random(7).randbytes(200_000))
    assert job.state == ImportJob.State.FAILED
    assert job.problem.startswith("The first line")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300))
def test_whatever_follows_the_header_the_import_comes_to_its_end(noise: bytes) -> None:
    job = imported(b"email,words\n" + noise + b"\nada@example.org,\n")
    assert job.state == ImportJob.State.DONE
    assert sum(job.counts.values()) == job.total
