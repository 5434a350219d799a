"""What the runbook names is there: every command with its options, every setting, every line of the log."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/operations.md", "docs/reliability.md")
#: Words of PostgreSQL, Redis and the shell.
OTHERS = set("PGPASSWORD FLUSHALL ANALYZE POST max_connections archive_mode pg_dump pg_restore".split())
_COMMAND = re.compile(r"manage\.py ([a-z_]+)([^\n`#]*)")


def strangers(text: str) -> set[str]:
    """Return everything in `text` that looks like ours and is not there."""
    quoted = re.findall(r"`([^`\n]+)`", text)
    code = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return {
        *(each for place in (*quoted, *code) for each in _wrong_commands(place)),
        *(each for place in quoted for each in _wrong_words(place)),
    }


def _wrong_commands(place: str) -> set[str]:
    wrong = set()
    for name, rest in _COMMAND.findall(place):
        given = set(re.findall(r"--[a-z][a-z-]*", rest))
        if name not in get_commands():
            wrong.add(name)
        else:
            wrong |= {f"{name} {option}" for option in given - _options(name)}
    return wrong


def _options(name: str) -> set[str]:
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    parser = command.create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings}


def _wrong_words(place: str) -> set[str]:
    """A word in capitals is a setting; one with underscores a line of the log, a figure, or a command."""
    word = place.partition("=")[0]
    if word in OTHERS or "/" in word:
        return set()
    if re.fullmatch(r"[A-Z][A-Z_]{3,}", word):
        return set() if re.search(rf"\b{word}\b", (ROOT / ".env.example").read_text()) else {word}
    if re.fullmatch(r"[a-z]+(_[a-z]+)+", word):
        return set() if word in get_commands() or f'"{word}"' in _sources() else {word}
    return set()


def _sources() -> str:
    folders = (ROOT / "digest", ROOT / "subscribers")
    return "".join(path.read_text() for folder in folders for path in sorted(folder.rglob("*.py")))


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_names_is_there(page: str) -> None:
    assert strangers((ROOT / page).read_text()) == set()


def test_what_is_not_there_is_seen() -> None:
    planted = (
        "Run `manage.py docter --json` and `manage.py doctor --loud`, set `NO_SUCH_SETTING=1`, read "
        "`no_such_event`.\n"
        "```\nmanage.py edition --colour blue\n```\n"
    )
    assert strangers(planted) == {
        "docter",
        "doctor --loud",
        "NO_SUCH_SETTING",
        "no_such_event",
        "edition --colour",
    }


def test_every_test_that_a_page_names_is_there() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(tests/[^`]+)`", (ROOT / page).read_text())}
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
