"""A house with a row of everything that has a page on the desk, and a reader whose address is a secret."""

from dataclasses import dataclass, field
from datetime import timedelta

from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.db.models import Model

from digest.models import (
    BounceVerdict,
    Candidate,
    DailyFigures,
    Decision,
    Delivery,
    Edition,
    EditionFigures,
    IngestRun,
    ProviderEvent,
)
from subscribers import audit, lifecycle, outbox
from subscribers.consent import Trace, record
from subscribers.models import (
    AuditEvent,
    ConsentEvent,
    ConsentText,
    ImportJob,
    ImportProblem,
    LeavingReason,
    Subscriber,
    Suppression,
    SystemMail,
)
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic, appeared, the_wording

ADDRESS, ELSEWHERE = "ada.of.the.secret@letterbox.example", "moved.in.secret@otherbox.example"
#: What nobody without a right to see readers may find on any page: whole addresses, and their halves.
SECRETS = ("ada.of.the.secret", "letterbox.example", "moved.in.secret", "otherbox.example")


@dataclass
class Furnished:
    """Keys of rows by the name of their model, as the pages' addresses hold them."""

    keys: dict[str, object] = field(default_factory=dict)

    def keep(self, *rows: Model) -> None:
        """Remember a row of each kind."""
        for row in rows:
            self.keys[str(row._meta.model_name)] = row.pk


def furnish() -> Furnished:
    """Make the rows; words in which a reader or a file could have left an address hold one."""
    house = Furnished()
    topic = a_topic()
    reader = a_reader(ADDRESS, topic)
    _papers(house, reader)
    _of_the_reader(house, reader)
    _imports(house)
    audit.record_for(None, AuditEvent.Kind.DEED, f"reader {ADDRESS}", f"told {ELSEWHERE}", at=NOON)
    house.keep(
        topic,
        reader,
        AuditEvent.objects.latest("pk"),
        Group.objects.get(name="curator"),
        User.objects.create_user("somebody", is_staff=True),
        AccessAttempt.objects.create(username="somebody", failures_since_start=5, ip_address="192.0.2.7"),
    )
    return house


def _papers(house: Furnished, reader: Subscriber) -> None:
    paper = a_paper("", *reader.topics.all())
    appeared(paper, NOON.date())
    edition = a_frozen_edition(NOON.date(), paper, state=Edition.State.FROZEN)
    decision = Decision.objects.create(
        edition=edition, kind=Decision.Kind.WORD, by_name="somebody", revision=1, at=NOON
    )
    delivery = Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=NOON.date(),
        not_before=NOON,
        expires_at=NOON + timedelta(hours=12),
        picks=[[paper.pk, "because you follow Vision"]],
        state=Delivery.State.ACCEPTED,
        provider_id="20260304-7",
    )
    event = ProviderEvent.objects.create(
        provider="postmark",
        key="7",
        kind="delivered",
        delivery=delivery,
        recipient_hash=reader.address_hash,
        at=NOON,
        received_at=NOON,
    )
    verdict = BounceVerdict.objects.create(
        address_hash=reader.address_hash, domain_key="1:d", source="delivery 7", state="waiting", at=NOON
    )
    house.keep(
        edition,
        paper,
        decision,
        delivery,
        event,
        verdict,
        Candidate.objects.get(),
        DailyFigures.objects.create(day=NOON.date(), at=NOON),
        EditionFigures.objects.create(edition=edition, at=NOON),
        IngestRun.objects.create(
            source="huggingface",
            category="",
            day=NOON.date(),
            started_at=NOON,
            state=IngestRun.State.values[0],
        ),
    )


def _of_the_reader(house: Furnished, reader: Subscriber) -> None:
    record(reader, ConsentEvent.Kind.REQUESTED, Trace("form"), at=NOON, text=the_wording())
    outbox.post(reader, SystemMail.Kind.NEW_ADDRESS, at=NOON, to=ELSEWHERE)
    lifecycle.suppress("1:" + "0" * 64, Suppression.Reason.BOUNCE, "webhook", at=NOON)
    house.keep(
        ConsentEvent.objects.latest("pk"),
        ConsentText.objects.latest("pk"),
        SystemMail.objects.latest("pk"),
        Suppression.objects.latest("pk"),
        LeavingReason.objects.create(reason="other", words=f"Write to {ADDRESS} instead!", at=NOON),
    )


def _imports(house: Furnished) -> None:
    job = ImportJob.objects.create(
        name=f"readers of {ADDRESS}.csv",
        consent_source=f"They wrote to {ELSEWHERE}.",
        digest="0" * 64,
        created_at=NOON,
        state=ImportJob.State.READY,
        counts={"new": 1},
        examples={"new": [[2, ADDRESS, ""]]},
    )
    ImportProblem.objects.create(
        job=job, line=3, outcome="bad", reason="An email address looks like name@example.org."
    )
    house.keep(job)
