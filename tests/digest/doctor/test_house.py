"""The machine, the database and the processes; and the command that tells of everything."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from digest import enrolling
from digest.doctor import composed, examining, house
from digest.doctor.finding import CouldNotLookError, Findings, quoted, wrong
from digest.doctor.looking import Looking
from digest.doctor.names import Dns
from digest.models import Delivery
from digest.proofing import Mix, for_mix
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic
from tests.digest.doctor.conftest import levels, the_wrong
from tests.processes import free_port
from tests.sinks.dns_server import DnsServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def looking() -> Looking:
    return Looking(Dns(5.0), 5.0, timezone.now())


def test_the_database_is_looked_at(looking: Looking) -> None:
    assert levels(house.database(looking)) == ["good"] * (2 if connection.vendor == "sqlite" else 3)


@pytest.mark.postgres
def test_a_clock_that_differs_from_the_databases_is_told(looking: Looking) -> None:
    looking.at -= timedelta(minutes=5)
    assert "clock" in the_wrong(house.database(looking)).seen


def test_a_database_on_the_network_is_seen() -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /srv nfs4 rw 0 0\n/dev/sdb /srv/local xfs rw 0 0\n"
    assert house.filesystem_of(Path("/srv/paperboy/p.sqlite3"), mounts) in house.REMOTE
    assert house.filesystem_of(Path("/srv/local/p.sqlite3"), mounts) == "xfs"
    assert house.filesystem_of(Path("/srvelse/p.sqlite3"), mounts) == "ext4"
    assert house.filesystem_of(Path("/p.sqlite3"), "") == ""


def test_what_waits_for_long_is_told(looking: Looking) -> None:
    assert levels(house.due(looking)) == ["good", "good"]
    a_reader()
    edition = a_frozen_edition(date(2026, 3, 4), a_paper(), approved_at=looking.at)
    enrolling.enroll(edition, at=looking.at)
    ago = looking.at - house.LATE - timedelta(minutes=1)
    Delivery.objects.update(not_before=ago)
    assert "waited for 11 minutes" in the_wrong(house.due(looking)).seen
    # A retry that has become due only now is not late.
    Delivery.objects.update(state=Delivery.State.DEFERRED, retry_at=looking.at)
    assert levels(house.due(looking)) == ["good", "good"]


def test_a_broker_that_is_away_is_told(looking: Looking, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://:the-password-of-tests@127.0.0.1:{free_port()}/0"
    finding = the_wrong(house.broker(looking))
    assert "does not answer" in finding.seen
    assert "the-password-of-tests" not in finding.seen + finding.cure


@pytest.mark.usefixtures("cache_server")
def test_a_broker_without_a_worker_is_told(looking: Looking) -> None:
    looking.timeout = 0.5
    assert "No worker answers" in the_wrong(house.broker(looking)).seen


def test_the_machine_is_looked_at(looking: Looking, settings: Settings, tmp_path: Path) -> None:
    assert levels(house.machine(looking))[0] == "good"
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o755)
    assert levels(house.machine(looking))[2] == "advice"
    tmp_path.chmod(0o750)
    assert levels(house.machine(looking))[2] == "good"


def test_a_full_disk_is_told(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "LEAST_FREE", 10**18)
    assert "free in DATA_DIR" in the_wrong(house.machine(looking)).seen


def test_what_check_deploy_says_is_told(looking: Looking, settings: Settings) -> None:
    assert {"advice"} <= set(levels(house.settings_checked(looking)))
    settings.DEBUG = True
    assert levels(house.settings_checked(looking)) == ["could not look"]


def test_a_digest_is_composed_and_read_again(looking: Looking) -> None:
    assert levels(composed.look(looking)) == ["could not look"]
    edition = a_frozen_edition(date(2026, 3, 4), *(a_paper("", a_topic()) for _ in range(12)))
    assert levels(composed.look(looking)) == ["good", "good"]
    message = for_mix(edition, Mix(), at=looking.at).message
    del message.extra_headers["List-Id"]
    message.extra_headers["List-Unsubscribe"] = "<mailto:leave@example.org>"
    message.attach_alternative("x", "text/plain")
    assert levels(composed.judge(message)).count("wrong") == 3


def test_a_digest_that_gmail_clips_is_told(looking: Looking) -> None:
    edition = a_frozen_edition(date(2026, 3, 4), a_paper("", a_topic()))
    message = for_mix(edition, Mix(), at=looking.at).message
    message.alternatives.clear()
    message.attach_alternative("<p>word</p>\n" * 9_000, "text/html")
    assert "Gmail" in the_wrong(composed.judge(message)).seen


def test_no_finding_repeats_a_secret(settings: Settings) -> None:
    settings.EMAIL_HOST_PASSWORD = "correct-horse"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token-of-tests", "WEBHOOK_SECRET": ["hook:sesame-sesame"]}
    said = quoted("no correct-horse, token-of-tests or sesame-sesame for reader@example.org")
    assert said == "no (secret), (secret) or (secret) for (address)"


def test_a_check_that_breaks_spoils_no_other(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Looking) -> Findings:
        yield wrong("first", "do this")
        raise RuntimeError("a fault of ours")

    def cannot(_: Looking) -> Findings:
        raise CouldNotLookError("the far side is away")

    checks = {"one": breaks, "two": cannot, "three": house.machine}
    monkeypatch.setattr(examining, "GROUPS", {"house": checks})
    lines = list(examining.examine(looking, ["house"]))
    assert [str(line.finding.level) for line in lines][:3] == ["wrong", "could not look", "could not look"]
    assert len(lines) > 3


def test_the_command_tells_one_line_a_finding_and_fails_for_what_is_wrong(
    capsys: pytest.CaptureFixture[str], zone: DnsServer
) -> None:
    options = {"only": ["sender"], "nameserver": zone.address, "address": ["192.0.2.7"], "selector": ["s1"]}
    call_command("doctor", **options)
    assert "WRONG" not in capsys.readouterr().out
    zone.text("papers.example.org")
    with pytest.raises(CommandError, match="1 of 6 findings are wrong") as failed:
        call_command("doctor", **options)
    assert failed.value.returncode == 1
    out = capsys.readouterr().out
    assert "WRONG  papers.example.org has no SPF record." in out
    assert '-> Publish a TXT record at papers.example.org: "v=spf1' in out


def test_the_command_tells_a_program_the_same(capsys: pytest.CaptureFixture[str], zone: DnsServer) -> None:
    with override_settings(CONTACT_EMAIL="curators@nowhere.example"), pytest.raises(CommandError):
        call_command("doctor", "--json", "--only", "sender", "--nameserver", zone.address)
    told = json.loads(capsys.readouterr().out)
    assert told["wrong"] == 1
    assert {each["group"] for each in told["findings"]} == {"sender"}
    assert {"level", "seen", "cure"} < told["findings"][0].keys()


@pytest.mark.parametrize("wrong_one", [["--timeout", "0"], ["--address", "mx"], ["--only", "nothing"]])
def test_nonsense_is_refused(wrong_one: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("doctor", *wrong_one)
