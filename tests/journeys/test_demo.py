"""`manage.py demo` as a stranger meets it, and what it refuses to touch."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from email import message_from_string, policy
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import body, descendants, free_port, is_free, living, status, wait_until


def _demo(folder: Path, port: int, said: Path, **more: str) -> "subprocess.Popen[str]":
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {"DATA_DIR": str(folder.parent / "own"), "PAPERBOY_ENV_FILE": os.devnull, **more}
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port), "--folder", str(folder)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=said.open("a"),
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_stranger_sees_the_whole_thing_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder, said, port = tmp_path / "demo", tmp_path / "said", free_port()
    process = _demo(folder, port, said, EMAIL_URL="smtp://mail.invalid:25")
    try:
        wait_until(lambda: process.poll() is not None or "Curators" in said.read_text(), 60)
        assert process.poll() is None, said.read_text()
        assert wait_until(lambda: status(port, "/") == 200, 60), (
            "the port is open before the first worker is up"
        )
        for path in re.findall(rf"http://127\.0\.0\.1:{port}(/\S*)", said.read_text()):
            assert status(port, path) in {200, 302}, path
        sheets = re.findall(r'href="(/static/[^"]+\.css)"', body(port, "/subscribe/"))
        assert sheets
        assert all(status(port, sheet) == 200 for sheet in sheets)
        page = body(port, "/mailbox/")
        assert page.index("you@example.org") < page.index("@readers.example"), "yours is found at once"
        for nowhere in "/nowhere/", "/mailbox/nothing/":
            assert status(port, nowhere) == 404
            assert "There is no such page" in body(port, nowhere)
        assert status(port, "/editions") == 301
        mails = [file.read_text() for file in (folder / "mailbox").glob("*.eml")]
        assert len(mails) == 30
        assert sum("To: you@example.org" in mail for mail in mails) == 1

        letter = next(mail for mail in mails if "To: you@example.org" in mail)
        part = message_from_string(letter, policy=policy.default).get_body(("plain",))
        assert part is not None
        hosts = set(re.findall(r"https?://([^/\s]+)", part.get_content()))
        assert hosts == {f"127.0.0.1:{port}"}, "nobody's first click leaves for a page that is not there"

        second = _demo(folder, free_port(), said)
        assert second.wait(20) == 1
        assert "A demo is running already" in said.read_text()
    finally:
        family = set(descendants(process.pid))
        process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0, said.read_text()
    assert not living(family)
    assert is_free(port)
    assert not list((tmp_path / "own").glob("*.sqlite3")), "an installation's own data is not touched"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"DEBUG": "true", "DATABASE_URL": "sqlite:////nowhere/at.all"}, "DATABASE_URL is set"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL is set"),
        (
            {
                "DEBUG": "false",
                "SECRET_KEY": "s" * 60,
                "SITE_URL": "https://papers.example.org",
                "ALLOWED_HOSTS": "papers.example.org",
                "TOKEN_KEYS": "k1:" + "t" * 40,
                "DEFAULT_FROM_EMAIL": "papers@papers.example.org",
                "POSTAL_ADDRESS": "1 Example Street",
                "EMAIL_URL": "smtp://localhost:25",
            },
            "production installation",
        ),
    ],
)
def test_it_keeps_away_from_a_real_installation(
    tmp_path: Path, more: Mapping[str, str], sentence: str
) -> None:
    process = _demo(tmp_path / "demo", free_port(), tmp_path / "said", **more)
    assert process.wait(20) == 1
    assert sentence in (tmp_path / "said").read_text()
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_is_no_demo_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter-1.txt").write_text("Years of work.")
    process = _demo(folder, free_port(), tmp_path / "said")
    assert process.wait(20) == 1
    assert "is not a demo's folder" in (tmp_path / "said").read_text()
    assert (folder / "chapter-1.txt").read_text() == "Years of work."
