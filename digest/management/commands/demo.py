"""`manage.py demo`: a throw-away installation with sample papers, made, mailed and served at once."""

import os
import secrets
import shutil
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from digest import curation, editions, enrolling, figures, mailbox, progress, samples, valkey
from digest.delivery.run import Worker, run
from digest.management.commands import up
from digest.models import Appearance, Edition, Paper
from digest.supervision import AlreadyRunningError, sole
from subscribers import lifecycle, synthetic
from subscribers.consent import Trace
from subscribers.models import Interest, Subscriber, Topic

#: Only a folder with this file in it, or an empty one, is ever wiped.
MARK = "this-is-a-demo"
#: Set in the demo's own process: the folder that it lives in.
LIVES_IN = "PAPERBOY_DEMO"
YOU = "you@example.org"
#: When the synthetic readers came, the first first, and when some of them left again, by number.
CAME_DAYS_AGO = (
    87, 86, 84, 81, 77, 76, 71, 70, 66, 64, 58, 57, 55, 49, 46, 45, 44, 38, 36, 33, 29, 25, 24, 23, 22, 17,
    16, 13, 11, 9, 8, 6, 4, 3,
)  # fmt: skip
LEFT_DAYS_AGO = {2: 61, 6: 40, 11: 27, 15: 12, 20: 5}
#: The numbers of the papers that appear tomorrow.
FOR_TOMORROW = (2, 9, 12, 13, 16, 18, 22, 24)
#: Who is left, and you.
READERS = len(CAME_DAYS_AGO) - len(LEFT_DAYS_AGO) + 1
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
        _gather_readers(now)
        self._say(f"  {READERS} readers, one of them you ({YOU})")
        password = secrets.token_urlsafe(9)
        get_user_model().objects.create_superuser("curator", password=password)
        self._say("  a curator who can log in")
        _keep_for_tomorrow(now)
        edition = _edition(now)
        self._say(f"  today's edition, {edition.candidate_count} papers, curated and approved")
        self._say(f"  {_deliver(edition)} digests, delivered into the mailbox")
        _count(edition)
        self._say(f"  tomorrow's edition, {_tomorrows(now).candidate_count} papers, for you to shape")
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


def _gather_readers(now: datetime) -> None:
    """Make the readers, who came over three months, and a few who left, so that the desk has a story to tell.

    Synthetic readers confirm some time before the moment they are asked for: it is moved on for each.
    """
    for number, days in enumerate(CAME_DAYS_AGO, 1):
        came = now - timedelta(days=days)
        synthetic.ensure(number, at=came + synthetic.CONFIRMED_BEFORE)
    for number, days in LEFT_DAYS_AGO.items():
        reader = Subscriber.objects.get(address=synthetic.address(number))
        lifecycle.unsubscribe(
            reader.public_id, at=now - timedelta(days=days), trace=Trace("unsubscribe page")
        )
    synthetic.introduce(YOU, _you(), at=now)


def _keep_for_tomorrow(now: datetime) -> None:
    """Let some of the papers appear tomorrow, so that there is an edition to shape."""
    names = [f"{samples.SOURCE}:{number:02d}" for number in FOR_TOMORROW]
    tomorrow = editions.edition_day(now) + timedelta(days=1)
    Appearance.objects.filter(paper__identity__in=names).update(day=tomorrow)


def _tomorrows(now: datetime) -> Edition:
    """Freeze tomorrow's edition early; it waits for its day, as any edition does."""
    edition = editions.open_edition(editions.edition_day(now) + timedelta(days=1), at=now)
    return editions.freeze(edition, at=timezone.now())


def _count(edition: Edition) -> None:
    """Keep the figures that a worker would keep within the first minute."""
    figures.keep(at=timezone.now())
    edition.refresh_from_db()
    progress.keep(edition, at=timezone.now())


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
