"""An installation of its own, run by real processes, to be backed up in the middle of a send and restored."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

#: Makes readers and an edition that is due for all of them at once; run in the installation.
FURNISH = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from digest import editions, enrolling
from digest.models import Edition
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic
from subscribers.models import Subscriber
now, topic = timezone.now(), a_topic("vision")
if not Subscriber.objects.exists():
    for n in range({readers}):
        came = now - timedelta(days=9)
        a_reader(f"reader{{n}}@example.org", topic, send_minute=0, size=5, confirmed_at=came)
names = [f"x{ahead}.{{n}}" for n in range(4)]
papers = [a_paper(f"Seeing {{name}}", topic, identity=name, arxiv_id=None) for name in names]
day = editions.edition_day(now) + timedelta(days={ahead} - 1)
edition = a_frozen_edition(day, *papers, approved_at=now)
enrolling.enroll(edition, at=now)
edition.deliveries.update(not_before=now, expires_at=now + timedelta(hours=5))
"""


@dataclass
class Installation:
    """One that lives in `folder`, its mail led to `mail_url`; `more` is set in its environment, too."""

    folder: Path
    mail_url: str
    more: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(self.folder),
            "PAPERBOY_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "digest.settings",
            "SITE_URL": "https://papers.example.org",
            "EMAIL_URL": self.mail_url,
            "IN_FLIGHT": "3",
            "SOURCES": "",
            "PYTHONUNBUFFERED": "1",
            **self.more,
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start Python with `arguments` in it."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment,
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run Python with `arguments` to its end; return its exit code and all it said."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def manage(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the installation."""
        return self.run("manage.py", *arguments)

    def furnish(self, *, readers: int = 40, ahead: int = 0) -> None:
        """Enroll everybody in an edition of yesterday, or of `ahead` days later, and let all be due."""
        code, said = self.run("-c", FURNISH.format(readers=readers, ahead=ahead))
        assert code == 0, said
