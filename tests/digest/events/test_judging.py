"""What a failure says of the mailbox: the server's answer first, then the provider's words."""

import pytest
from anymail.signals import AnymailTrackingEvent

from digest.events.judging import kind_of


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 gone", "bounced"),
        ("550 5.7.1 refused", "refused"),
        ("554 5.6.0 refused", "refused"),
        ("552 5.2.2 over", "soft_bounced"),
        ("451 4.7.1 later", "soft_bounced"),
        ("550 5.5.0 no such mailbox", "bounced"),
        ("550 blocked for spam", "refused"),
        ("552 the mailbox is full", "soft_bounced"),
        ("550 no such user", "bounced"),
        ("", "bounced"),
    ],
)
def test_the_servers_answer_outweighs_the_providers_word_for_it(answer: str, kind: str) -> None:
    event = AnymailTrackingEvent(event_type="bounced", reject_reason="bounced", mta_response=answer)
    assert kind_of(event) == kind


@pytest.mark.parametrize(
    ("event_type", "reason", "kind"),
    [
        ("rejected", "spam", "complained"),
        ("bounced", "spam", "refused"),
        ("rejected", "unsubscribed", "unsubscribed"),
        ("rejected", "blocked", "refused"),
        ("bounced", "timed_out", "soft_bounced"),
        ("failed", "bounced", "refused"),
        ("deferred", None, "other"),
        ("opened", None, None),
        ("clicked", None, None),
    ],
)
def test_without_an_answer_the_providers_reason_counts(
    event_type: str, reason: str | None, kind: str | None
) -> None:
    assert kind_of(AnymailTrackingEvent(event_type=event_type, reject_reason=reason)) == kind
