"""Four kinds of files, told by their first line, in the words they really use."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from subscribers.importing.entries import Entry, Standing, moment_in, tags_in
from subscribers.importing.sheets import SheetError, open_sheet
from tests.subscribers.importing.files import MAILCHIMP

LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"
BUTTONDOWN = "email,subscriber_type,tags,creation_date,source"


def opened(tmp_path: Path, text: str, named: str = "") -> list[Entry | str]:
    """Return each row's entry, or what is wrong with it."""
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return [row.entry or row.problem for row in open_sheet(path, named).rows()]


def only(tmp_path: Path, text: str, named: str = "") -> Entry:
    """Return the entry of a file with one row."""
    (entry,) = opened(tmp_path, text, named)
    assert isinstance(entry, Entry), entry
    return entry


def test_mailchimp_gives_address_tags_and_the_moment_of_confirmation(tmp_path: Path) -> None:
    row = (
        'Ada@example.org,Ada,"Example, B.",2,"2024-03-01 10:00:00","2024-03-01 10:02:03",1,ab,,'
        '"""Computer Vision"",""a, b"""'
    )
    entry = only(tmp_path, f"{MAILCHIMP}\n{row}\n")
    assert entry.address == "Ada@example.org"
    assert entry.standing is Standing.SUBSCRIBED
    assert entry.tags == ("Computer Vision", "a, b")
    assert entry.agreed_at == datetime(2024, 3, 1, 10, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("columns", "values", "standing"),
    [
        ("UNSUB_TIME,UNSUB_REASON", "2024-01-01 00:00:00,", Standing.LEFT),
        ("UNSUB_TIME,UNSUB_REASON", ",", Standing.LEFT),  # the file of those who left, whatever the cell says
        ("CLEAN_TIME,CLEAN_CAMPAIGN_TITLE", "2024-01-01 00:00:00,x", Standing.BOUNCED),
        ("CLEAN_TIME,CLEAN_CAMPAIGN_TITLE", ",", Standing.BOUNCED),
        ("UNSUB_TIME,CLEAN_TIME", ",", Standing.SUBSCRIBED),  # files put together
        ("UNSUB_TIME,CLEAN_TIME", "2024-01-01 00:00:00,", Standing.LEFT),
        ("UNSUB_TIME,CLEAN_TIME", ",2024-01-01 00:00:00", Standing.BOUNCED),
    ],
)
def test_mailchimps_other_files_tell_who_left_and_who_bounced(
    tmp_path: Path, columns: str, values: str, standing: Standing
) -> None:
    text = f"Email Address,LEID,{columns}\nada@example.org,1,{values}\n"
    assert only(tmp_path, text).standing is standing


@pytest.mark.parametrize(
    ("kind", "standing"),
    [
        ("regular", Standing.SUBSCRIBED),
        ("premium", Standing.SUBSCRIBED),
        ("unactivated", Standing.UNCONFIRMED),
        ("Unsubscribed", Standing.LEFT),
        ("removed", Standing.LEFT),
        ("undeliverable", Standing.BOUNCED),
        ("complained", Standing.COMPLAINED),
        ("spammy", Standing.BLOCKED),
    ],
)
def test_buttondowns_types_are_understood(tmp_path: Path, kind: str, standing: Standing) -> None:
    entry = only(
        tmp_path, f'{BUTTONDOWN}\nada@example.org,{kind},"robotics, fun",2024-03-01T10:00:00+02:00,api\n'
    )
    assert (entry.standing, entry.tags) == (standing, ("robotics", "fun"))
    assert entry.agreed_at == datetime(2024, 3, 1, 8, 0, tzinfo=UTC)


def test_buttondowns_newer_names_and_dates_of_leaving_are_understood(tmp_path: Path) -> None:
    header = "id,email_address,type,creation_date,unsubscription_date,undeliverability_date\n"
    rows = (
        "1,a@e.example,regular,,,\n2,b@e.example,regular,,2024-01-01,\n3,c@e.example,regular,,,2024-01-01\n"
    )
    standings = [entry.standing for entry in opened(tmp_path, header + rows) if isinstance(entry, Entry)]
    assert standings == [Standing.SUBSCRIBED, Standing.LEFT, Standing.BOUNCED]


def test_listmonk_gives_what_its_attributes_hold(tmp_path: Path) -> None:
    attributes = (
        '{""topics"": [""robotics"", 5], ""tags"": ""fun, more"", ""time_zone"": ""Europe/Berlin"", ""x"": 1}'
    )
    row = f'9-9,ada@example.org,Ada,"{attributes}",enabled,2024-03-01T10:00:00.5Z,2024-03-01T10:00:00Z'
    entry = only(tmp_path, f"{LISTMONK}\n{row}\n")
    assert entry.tags == ("robotics", "fun", "more")
    assert entry.time_zone == "Europe/Berlin"
    assert entry.agreed_at == datetime(2024, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "standing"),
    [("enabled", Standing.SUBSCRIBED), ("disabled", Standing.LEFT), ("blocklisted", Standing.BLOCKED)],
)
def test_listmonks_statuses_are_understood(tmp_path: Path, status: str, standing: Standing) -> None:
    assert only(tmp_path, f"{LISTMONK}\n1,ada@example.org,,{{}},{status},,\n").standing is standing


@pytest.mark.parametrize("attributes", ["[1]", "{", "7", "[" * 30_000])
def test_attributes_that_are_no_object_are_told(tmp_path: Path, attributes: str) -> None:
    assert opened(tmp_path, f'{LISTMONK}\n1,ada@example.org,,"{attributes}",enabled,,\n') == [
        "The attributes are not a JSON object, such as {}."
    ]


def test_a_status_nobody_knows_is_refused_rather_than_mailed(tmp_path: Path) -> None:
    for header in ("email,subscriber_type", "uuid,email,status", "email,status"):
        row = "1,ada@example.org,gone" if header.startswith("uuid") else "ada@example.org,gone"
        (problem,) = opened(tmp_path, f"{header}\n{row}\n")
        assert isinstance(problem, str)
        assert problem.startswith("The status “gone” is not known here.")


def test_mailchimps_zone_is_taken_and_what_cannot_be_read_is_a_doubt(tmp_path: Path) -> None:
    header = "Email Address,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,OPTIN_IP,LEID\n"
    good = only(tmp_path, f"{header}a@example.org,2024-03-01 10:00:00,,Asia/Tokyo,no-address,1\n")
    assert (good.time_zone, good.doubts) == ("Asia/Tokyo", ())
    odd = only(tmp_path, f"{header}a@example.org,yesterday,,Mars/Olympus,,1\n")
    assert (odd.time_zone, odd.agreed_at, odd.standing) == ("", None, Standing.SUBSCRIBED)
    assert odd.doubts == (
        "The time zone is none we know: UTC is taken.",
        "optin_time is no moment: the time of the import counts.",
    )
    half = only(tmp_path, f"{header}a@example.org,2024-03-01 10:00:00,soon,,,1\n")
    assert half.agreed_at == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert half.doubts == ("confirm_time is no moment: another column counts.",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_plain_file_may_be_separated_in_three_ways(tmp_path: Path, delimiter: str) -> None:
    header = delimiter.join(["E-Mail", "Topics", "words", "time_zone", "frequency", "subscribed_at"])
    row = delimiter.join(
        ["ada@example.org", '"robotics, speech"', '"one\ntwo"', "Asia/Tokyo", "weekly", "2025-03-01"]
    )
    entry = only(tmp_path, f"{header}\n{row}\n")
    assert entry == Entry(
        "ada@example.org",
        Standing.SUBSCRIBED,
        ("robotics", "speech"),
        ("one", "two"),
        "Asia/Tokyo",
        "weekly",
        datetime(2025, 3, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file is empty."),
        ("\n\n", "The file is empty."),
        (
            "ada@example.org\nben@example.org\n",
            "The first line holds an address, but it must name the columns.",
        ),
        (
            "name,city\nAda,X\n",
            "The first line does not name the columns of a file we know. It names: name, city.",
        ),
        ("email,opt_out_reason\na@example.org,1\n", "The column 'opt_out_reason' may say who has left"),
        (
            "email,active_subscription\na@example.org,x\n",
            "The column 'active_subscription' may say who has left",
        ),
        ("email,subscribed\na@example.org,no\n", "The column 'subscribed' may say who has left"),
        ('"email\n' * 5, "The first line cannot be read: A quotation mark"),
        ("email,email\na@example.org,b@example.org\n", "The header names a column twice."),
        ("email," + "x" * 100_000, "The first line cannot be read: The line is longer"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(SheetError) as refused:
        opened(tmp_path, text)
    assert str(refused.value).startswith(sentence)


def test_a_named_format_must_be_the_files(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="a file of the format listmonk"):
        opened(tmp_path, "email\nada@example.org\n", "listmonk")
    assert only(tmp_path, f"{LISTMONK}\n1,ada@example.org,,{{}},enabled,,\n", "listmonk")


def test_a_row_with_cells_too_few_or_too_many_is_told(tmp_path: Path) -> None:
    found = opened(tmp_path, "email,topics\na@example.org\nb@example.org,x,y\nc@example.org,x,,\n")
    assert [entry if isinstance(entry, str) else entry.address for entry in found] == [
        "The row has 1 cells, the header names 2. Check its separators and quotation marks.",
        "The row has 3 cells, the header names 2. Check its separators and quotation marks.",
        "c@example.org",
    ]


def test_a_moment_nobody_can_read_is_told_in_a_plain_file(tmp_path: Path) -> None:
    (problem,) = opened(tmp_path, "email,subscribed_at\nada@example.org,3/1/2025\n")
    assert problem == "subscribed_at is no moment. Write 2025-03-01 or 2025-03-01T09:30:00Z."


def test_an_apostrophe_before_a_sign_is_ours_only_in_a_plain_file(tmp_path: Path) -> None:
    assert only(tmp_path, "email\n'+ada@example.org\n").address == "+ada@example.org"
    (problem,) = opened(tmp_path, f"{LISTMONK}\n1,'+ada@example.org,,{{}},enabled,,\n")
    assert isinstance(problem, str)
    assert problem.startswith("The address begins with an apostrophe")


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("", ()),
        ("a", ("a",)),
        (" a ,b;c|d ", ("a", "b", "c", "d")),
        ('"a, b","c ""d"""', ("a, b", 'c "d"')),
        ('"open, a', ("open", "a")),
        (",,a,,a", ("a",)),
    ],
)
def test_tags_are_taken_apart_as_they_are_written(cell: str, tags: tuple[str, ...]) -> None:
    assert tags_in(cell) == tags


@pytest.mark.parametrize(
    "text", ["", "soon", "0001-01-01", "9999-12-31T23:59:59-23:00", "2024-13-01", "١٢", "1979-01-01"]
)
def test_what_is_no_moment_of_our_time_is_none(text: str) -> None:
    assert moment_in(text) is None
