"""Who has left stays out, in whatever column of whatever file it is written."""

from pathlib import Path

import pytest

from subscribers.importing.entries import Entry, Standing
from subscribers.importing.sheets import SheetError, open_sheet
from subscribers.importing.standings import doubtful
from tests.subscribers.importing.files import MAILCHIMP, here, imported, told

#: A header of each format, without its own column of status, and a row that is good.
HEADERS = {
    "mailchimp": ("Email Address,OPTIN_TIME,LEID", "ada@example.org,2024-03-01 10:00:00,1"),
    "listmonk": ("uuid,email,attributes", "1,ada@example.org,{}"),
    "buttondown": ("email,type", "ada@example.org,regular"),
    "plain": ("email,topics", "ada@example.org,robotics"),
}
NAMES = ["Status", "Member Status", "Subscription status", "subscriber-status", "State", "Email Status"]
MEANT = [
    ("Subscribed", Standing.SUBSCRIBED),
    ("", Standing.SUBSCRIBED),
    ("unsubscribed", Standing.LEFT),
    ("Cleaned", Standing.BOUNCED),
    ("Non-Subscribed", Standing.UNCONFIRMED),
    ("disabled", Standing.LEFT),
    ("complained", Standing.COMPLAINED),
    ("blocklisted", Standing.BLOCKED),
]


def only(tmp_path: Path, name: str, cell: str, kind: str) -> Entry | str:
    """Return the entry of a file of `kind` with one more column, or what is wrong with its row."""
    header, row = HEADERS[kind]
    path = tmp_path / "file.csv"
    path.write_text(f"{header},{name}\n{row},{cell}\n", encoding="utf-8")
    sheet = open_sheet(path)
    assert sheet.format.name == kind
    (line,) = sheet.rows()
    return line.entry or line.problem


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Status", "Member Status", "Subscription status"])
def test_mailchimps_file_with_a_column_of_status_lets_in_only_who_is_subscribed(name: str) -> None:
    job = imported(
        f"Email Address,First Name,OPTIN_TIME,LEID,{name}\n"
        "ada@example.org,Ada,2024-03-01 10:00:00,1,subscribed\n"
        "ben@example.org,Ben,2024-03-01 10:00:00,2,unsubscribed\n"
        "cleo@example.org,Cleo,2024-03-01 10:00:00,3,cleaned\n"
        "dan@example.org,Dan,2024-03-01 10:00:00,4,odd\n"
    )
    assert job.format == "mailchimp"
    assert here() == {"ada@example.org"}
    assert told(job) == [(3, "not_subscribed"), (4, "bounced"), (5, "invalid")]


@pytest.mark.parametrize("kind", list(HEADERS))
@pytest.mark.parametrize(("word", "standing"), MEANT)
def test_a_status_is_understood_in_every_format(
    tmp_path: Path, kind: str, word: str, standing: Standing
) -> None:
    entry = only(tmp_path, "Member Status", word, kind)
    assert isinstance(entry, Entry), entry
    assert entry.standing is standing


@pytest.mark.parametrize("kind", list(HEADERS))
@pytest.mark.parametrize("name", NAMES)
def test_a_word_unknown_refuses_its_row_under_every_name_of_the_column(
    tmp_path: Path, kind: str, name: str
) -> None:
    problem = only(tmp_path, name, "California", kind)
    assert isinstance(problem, str)
    assert problem.startswith("The status “California” is not known here. Write active or unsubscribed")


@pytest.mark.parametrize("kind", list(HEADERS))
@pytest.mark.parametrize(
    ("name", "cell", "standing"),
    [
        ("Opt-Out", "yes", Standing.LEFT),
        ("opt_out", "0", Standing.SUBSCRIBED),
        ("Opted Out", "", Standing.SUBSCRIBED),
        ("Unsubscribed", "TRUE", Standing.LEFT),
        ("unsubscribed_at", "1/2/2024", Standing.LEFT),
        ("Bounced", "2024-01-01", Standing.BOUNCED),
        ("complained", "1", Standing.COMPLAINED),
    ],
)
def test_a_yes_or_a_date_in_a_column_of_leaving_counts_in_every_format(
    tmp_path: Path, kind: str, name: str, cell: str, standing: Standing
) -> None:
    entry = only(tmp_path, name, cell, kind)
    assert isinstance(entry, Entry), entry
    assert entry.standing is standing


def test_neither_yes_nor_no_refuses_the_row(tmp_path: Path) -> None:
    problem = only(tmp_path, "Opt-out", "perhaps", "mailchimp")
    assert (
        problem == "The column opt-out says neither yes nor no, nor a moment. Write yes, or leave it empty."
    )


@pytest.mark.parametrize("kind", list(HEADERS))
@pytest.mark.parametrize("name", ["Unsub Campaign", "status_2", "Bounce Kind", "opt-out list", "inactive"])
def test_a_column_that_may_tell_and_is_not_understood_refuses_the_file(
    tmp_path: Path, kind: str, name: str
) -> None:
    with pytest.raises(SheetError, match="may say who has left, in a way we do not know"):
        only(tmp_path, name, "x", kind)


def test_of_two_columns_the_worse_counts(tmp_path: Path) -> None:
    entry = only(tmp_path, "Status,Bounced", "unsubscribed,yes", "mailchimp")
    assert isinstance(entry, Entry)
    assert entry.standing is Standing.BOUNCED


def test_two_columns_of_one_name_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="names a column twice"):
        only(tmp_path, "Member Status,member status", "unsubscribed,", "mailchimp")


def test_what_real_exports_name_is_never_doubtful() -> None:
    mailchimp = [*MAILCHIMP.replace('"', "").lower().replace(" ", "_").split(","), "confirm_ip", "timezone"]
    assert doubtful([*mailchimp, "unsub_time", "unsub_campaign_title", "unsub_reason"]) == []
    assert doubtful([*mailchimp, "clean_time", "clean_campaign_title", "clean_campaign_id"]) == []
    assert doubtful(["unsubscription_date", "unsubscription_reason", "subscriber_type", "real_estate"]) == []
    assert doubtful([*mailchimp, "unsub_reason"]) == ["unsub_reason"]
