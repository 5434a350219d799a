"""`manage.py demo`: a throw-away installation with sample papers, made, mailed and served at once."""

import os
import secrets
import shutil
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from digest import curation, editions, enrolling, mailbox, samples, valkey
from digest.delivery.run import Worker, run
from digest.management.commands import up
from digest.models import Edition, Paper
from digest.supervision import AlreadyRunningError, sole
from subscribers import synthetic
from subscribers.models import Interest, Topic

#: Only a folder with this file in it, or an empty one, is ever wiped.
MARK = "this-is-a-demo"
#: Set in the demo's own process: the folder that it lives in.
LIVES_IN = "PAPERBOY_DEMO"
READERS = 30
YOU = "you@example.org"
TOPICS = ("agents", "computer-vision", "language-models", "robotics")
NOTE = (
    "Welcome to the demo. Every paper in this edition is invented, and so are its authors: you will find "
    "nothing of it on arXiv. These lines are a curator’s note; you can write your own at /admin/."
)
#: What an installation may have set and a demo must not use: it sends no mail and tells nobody.
_UNSET = frozenset(
    (
        "EMAIL_URL",
        "ANYMAIL_PROVIDER",
        "SENTRY_DSN",
        "ALLOWED_HOSTS",
        "SITE_URL",
        "EDITION_REQUIRES_APPROVAL",
        "LIST_NAME",
        "DEFAULT_FROM_EMAIL",
        "POSTAL_ADDRESS",
        "LIST_ID",
        "BYLINE",
        "CONTACT_EMAIL",
    )
)


class Command(BaseCommand):
    """Shows everything in the browser, with papers of its own, and leaves your installation alone."""

    help = (
        "Show all of Paperboy in the browser: makes a throw-away installation with sample papers and "
        "30 readers, delivers today's edition into a mailbox you can read, and serves it until Ctrl-C. "
        "Needs no network."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --port and --folder."""
        parser.add_argument("--port", type=int, default=8000, help="port of the web process (default 8000)")
        parser.add_argument(
            "--folder",
            type=Path,
            default=settings.BASE_DIR / ".paperboy" / "demo",
            help="where the throw-away installation lives; wiped at the start (default .paperboy/demo)",
        )

    def handle(self, *_args: object, port: int, folder: Path, **_options: object) -> None:
        """Move into the demo's folder, then make everything and serve it. Raises CommandError."""
        up.check_port(port)
        folder = folder.resolve()
        if os.environ.get(LIVES_IN) != str(folder) or folder != settings.DATA_DIR:
            _refuse_production()
            self.stdout.flush()
            _move_into(folder, port)
        try:
            with sole(folder) as leftovers:
                up.wait_for_port("127.0.0.1", port, seconds=up.LEFTOVER_SECONDS if leftovers else 0.0)
                _wipe(folder)
                password, letter = self._make()
        except AlreadyRunningError as error:
            raise CommandError("A demo is running already. Stop it with Ctrl-C where it runs.") from error
        except KeyboardInterrupt:
            return
        self._serve(port, password, letter)

    def _make(self) -> tuple[str, str]:
        """Make the installation's content; return the curator's password and the name of your digest."""
        now = timezone.now()
        self._say("Making a throw-away installation:")
        call_command("migrate", interactive=False, verbosity=0)
        self._say("  a database")
        self._say(f"  {samples.load(editions.edition_day(now), now)} sample papers, written for the demo")
        synthetic.ensure(READERS - 1, at=now)
        synthetic.introduce(YOU, _you(), at=now)
        self._say(f"  {READERS} readers, one of them you ({YOU})")
        password = secrets.token_urlsafe(9)
        get_user_model().objects.create_superuser("curator", password=password)
        self._say("  a curator who can log in")
        edition = _edition(now)
        self._say(f"  today's edition, {edition.candidate_count} papers, curated and approved")
        self._say(f"  {_deliver(edition)} digests, delivered into the mailbox")
        # Yours is the one to read: it comes first in the list.
        return password, mailbox.put_on_top(_letter_to(YOU))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _serve(self, port: int, password: str, letter: str) -> None:
        site = f"http://127.0.0.1:{port}"
        process = up.Command()
        process.places = {
            "Front page": f"{site}/",
            "Your digest": f"{site}/mailbox/{letter}/",
            "All mails": f"{site}/mailbox/ (no mail leaves this machine)",
            "The edition": f"{site}/editions/{editions.edition_day(timezone.now())}/",
            "Sign up": f"{site}/subscribe/ (then confirm in the mailbox)",
            "Curators": f"{site}/admin/   user: curator   password: {password}",
        }
        call_command(process, port=port)


def _refuse_production() -> None:
    if not settings.DEBUG:
        raise CommandError("This is a production installation (DEBUG is off). It is no place for a demo.")
    for name in ("DATABASE_URL", "REDIS_URL"):
        if name in os.environ:
            raise CommandError(f"{name} is set. The demo uses nothing but a folder of its own: unset {name}.")


def _move_into(folder: Path, port: int) -> None:
    """Run this command again as a process whose settings are the demo's; does not return."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise CommandError(f"{folder} is not a demo's folder and will not be touched.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
    environment |= {
        LIVES_IN: str(folder),
        "DATA_DIR": str(folder),
        "PAPERBOY_ENV_FILE": os.devnull,
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SOURCES": "",
        "LOG_LEVEL": "WARNING",
        # The edition freezes in this very hour, so that no reader's morning is over yet.
        "EDITION_HOUR": str(datetime.now(UTC).hour),
        "EDITION_ZONE": "UTC",
    }
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo"]
    os.execve(sys.executable, [*command, "--port", str(port), "--folder", str(folder)], environment)  # noqa: S606


def _wipe(folder: Path) -> None:
    """Remove what an earlier demo left, its Valkey included."""
    if not (folder / MARK).exists():
        raise CommandError(f"{folder} is not a demo's folder and will not be touched.")
    valkey.stop(settings.VALKEY_SOCKET)
    for entry in folder.iterdir():
        if entry.name in {MARK, "up.lock"}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _you() -> synthetic.Traits:
    topics = Topic.objects.filter(slug__in=TOPICS, active=True).order_by("slug")
    return synthetic.Traits(
        time_zone="UTC",
        send_minute=7 * 60,
        size=10,
        topics=[(topic.pk, 2 if topic.slug == TOPICS[0] else 1) for topic in topics],
        interests=[
            (Interest.Kind.WORDS.value, "gaussian splatting"),
            (Interest.Kind.AUTHOR.value, "Ben Sample"),
        ],
    )


def _edition(now: datetime) -> Edition:
    """Make today's edition with a curator's note and a pin, and enroll everybody."""
    edition = editions.open_edition(editions.edition_day(now), at=now)
    edition = editions.freeze(edition, at=timezone.now())
    curation.annotate_edition(edition, NOTE)
    favourite = Paper.objects.get(identity=f"{samples.SOURCE}:{samples.FAVOURITE:02d}")
    curation.pin(edition, favourite)
    curation.annotate(edition, favourite, "Read this one even if you read no other today.")
    edition = editions.approve(edition, at=timezone.now())
    enrolling.enroll(edition, at=timezone.now())
    edition.refresh_from_db()
    return edition


def _deliver(edition: Edition) -> int:
    worker = Worker(timezone.now)
    try:
        delivered = run(worker, any_hour=True, edition=edition)
    finally:
        worker.close()
    editions.close(edition, at=timezone.now())
    return delivered


def _letter_to(address: str) -> str:
    """Return the mailbox's name for a mail to `address`."""
    return next(name for name in mailbox.names() if address in mailbox.summary(name).to)
