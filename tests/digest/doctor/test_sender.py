"""The sender's DNS: SPF, DKIM, DMARC, alignment, answers, reverse names, asked of a real name server."""

import pytest
from django.test import override_settings
from pytest_django import Settings

from digest.doctor import dkim, dmarc, mail_server, replies, spf
from digest.doctor.finding import CouldNotLookError
from digest.doctor.looking import Looking
from digest.doctor.names import Dns
from tests.digest.doctor.conftest import DOMAIN, a_key, levels, the_wrong
from tests.sinks.dns_server import DnsServer

SENDER_CHECKS = (spf.look, dkim.look, dmarc.look, dmarc.align, replies.look, mail_server.reverse)


def test_a_good_sender_has_nothing_wrong_and_nothing_unseen(looking: Looking) -> None:
    found = [finding for check in SENDER_CHECKS for finding in check(looking)]
    assert {str(finding.level) for finding in found} == {"good"}, found
    assert len(found) == 7


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ([], "no SPF record"),
        (["v=spf1 ip4:192.0.2.7 ~all", "v=spf1 -all"], "2 SPF records"),
        (["v=spf1 ip4:192.0.2.7 +all"], "everybody"),
        (["v=spf1 ip4:192.0.2.8 -all"], "does not name 192.0.2.7"),
        (["v=spf1 ip4:192.0.2.0/29x -all"], "does not name 192.0.2.7"),
        (["v=spf1 include:loop.example.org -all"], "more than 10 look-ups"),
        (["v=spf1 -ip4:192.0.2.7 -all"], "does not name 192.0.2.7"),
    ],
)
def test_a_spoilt_spf_record_is_told(record: list[str], says: str, looking: Looking, zone: DnsServer) -> None:
    zone.text(DOMAIN, *record, "something else")
    zone.text("loop.example.org", "v=spf1 " + " ".join(f"a:h{n}.example.org" for n in range(11)) + " -all")
    assert says in the_wrong(spf.look(looking)).seen
    assert looking.spf_passes is not True or "everybody" in says


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.2.0/24 -all",
        "v=spf1 a:mx.example.org -all",
        "v=spf1 mx ~all",
        "v=spf1 redirect=other.example.org",
        "v=spf1 include:other.example.org ?include:spf.mtasv.net -all",
    ],
)
def test_every_way_of_naming_our_server_counts(record: str, looking: Looking, zone: DnsServer) -> None:
    zone.text(DOMAIN, record)
    zone.text("other.example.org", "v=spf1 ip6:2001:db8::1 ip4:192.0.2.7 -all")
    assert levels(spf.look(looking)) == ["good", "good"]
    assert looking.spf_passes is True


def test_an_include_is_followed_into_its_own_circle_once(looking: Looking, zone: DnsServer) -> None:
    zone.text(DOMAIN, f"v=spf1 include:{DOMAIN} ip4:192.0.2.7 -all")
    assert levels(spf.look(looking)) == ["good", "good"]


def test_a_provider_is_looked_for_by_its_own_name(looking: Looking, zone: DnsServer) -> None:
    with override_settings(ANYMAIL_PROVIDER="postmark"):
        assert levels(spf.look(looking)) == ["good", "good"]
        zone.text(DOMAIN, "v=spf1 -all")
        looking.dns = Dns(5.0, zone.address)
        assert levels(spf.look(looking)) == ["good", "advice"]
    with override_settings(ANYMAIL_PROVIDER="resend"):
        assert levels(spf.look(looking)) == ["good", "could not look"]


@pytest.mark.parametrize(
    ("record", "level"),
    [
        (f"v=DKIM1; p={a_key(2048)}", "good"),
        (f"p={a_key(4096)}", "good"),
        (f"v=DKIM1; p={a_key(1024)}", "advice"),
        (f"v=DKIM1; t=y; p={a_key(2048)}", "advice"),
        (f"v=DKIM1; p={a_key(512)}", "wrong"),
        ("v=DKIM1; p=", "wrong"),
        ("v=DKIM1; p=not base64 at all!", "wrong"),
        ("v=DKIM1; p=MIIB", "wrong"),
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "good"),
    ],
)
def test_each_dkim_key_is_judged(record: str, level: str, looking: Looking, zone: DnsServer) -> None:
    zone.text(f"s1._domainkey.{DOMAIN}", record)
    assert levels(dkim.look(looking)) == [level]
    assert looking.dkim_found is (level != "wrong")


def test_a_revoked_key_is_called_so(looking: Looking, zone: DnsServer) -> None:
    zone.text(f"s1._domainkey.{DOMAIN}", "v=DKIM1; p=")
    assert "revoked" in the_wrong(dkim.look(looking)).seen


def test_a_selector_that_was_given_must_be_there(looking: Looking) -> None:
    looking.selectors = ["s1", "s9"]
    assert "s9._domainkey" in the_wrong(dkim.look(looking)).seen


def test_the_usual_selectors_are_tried_where_none_was_given(looking: Looking, zone: DnsServer) -> None:
    looking.selectors = []
    assert levels(dkim.look(looking)) == ["good"]
    del zone.records[f"s1._domainkey.{DOMAIN}", "TXT"]
    looking.dns = Dns(5.0, zone.address)
    assert "no DKIM key" in the_wrong(dkim.look(looking)).seen
    with override_settings(ANYMAIL_PROVIDER="amazon_ses"):
        assert levels(dkim.look(looking)) == ["could not look"]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({}, ["wrong"]),
        ({"_dmarc.example.org": ["v=DMARC1; p=reject; rua=mailto:a@example.org"]}, ["good"]),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none; rua=mailto:a@example.org"]}, ["good", "advice"]),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject"]}, ["good", "advice"]),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}, ["wrong"]),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; rua=mailto:a@example.org"]}, ["wrong"]),
        (
            {"_dmarc.example.org": ["v=DMARC1; p=reject; sp=none; rua=mailto:a@example.org"]},
            ["good", "advice"],
        ),
        ({"_dmarc.org": ["v=DMARC1; p=reject"]}, ["wrong"]),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject; rua=mailto:a@else.example"]}, ["good", "advice"]),
        (
            {
                f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject; rua=mailto:a@else.example"],
                f"{DOMAIN}._report._dmarc.else.example": ["v=DMARC1"],
            },
            ["good"],
        ),
    ],
)
def test_a_policy_of_ones_own_or_of_a_domain_above(
    records: dict[str, list[str]], expected: list[str], looking: Looking, zone: DnsServer
) -> None:
    del zone.records["_dmarc.example.org", "TXT"]
    for name, texts in records.items():
        zone.text(name, *texts)
    assert levels(dmarc.look(looking)) == expected


@pytest.mark.parametrize(
    ("spf_passes", "dkim_found", "expected"),
    [
        (True, True, ["good"]),
        (False, True, ["good"]),
        (True, False, ["good", "advice"]),
        (False, False, ["wrong"]),
        (None, None, ["could not look"]),
        (False, None, ["could not look"]),
        (None, False, ["could not look"]),
    ],
)
def test_something_has_to_speak_for_the_from_domain(
    spf_passes: bool | None, dkim_found: bool | None, expected: list[str], looking: Looking
) -> None:
    looking.spf_passes, looking.dkim_found = spf_passes, dkim_found
    assert levels(dmarc.align(looking)) == expected


def test_answers_need_a_mail_host_with_an_address(
    looking: Looking, zone: DnsServer, settings: Settings
) -> None:
    settings.CONTACT_EMAIL = "Curators <curators@desk.example.org>"
    assert "CONTACT_EMAIL" in the_wrong(replies.look(looking)).seen
    zone.records["desk.example.org", "A"] = ["192.0.2.9"]
    looking.dns = Dns(5.0, zone.address)
    assert levels(replies.look(looking)) == ["advice", "good"]
    for exchange, says in {"0 .": "takes no mail", "10 nowhere.example.org.": "no address"}.items():
        zone.records["desk.example.org", "MX"] = [exchange]
        looking.dns = Dns(5.0, zone.address)
        assert says in the_wrong(replies.look(looking)).seen


def test_a_sending_address_needs_a_name_that_leads_back(looking: Looking, zone: DnsServer) -> None:
    zone.records["7.2.0.192.in-addr.arpa", "PTR"] = ["elsewhere.example.org."]
    assert "does not lead back" in the_wrong(mail_server.reverse(looking)).seen
    del zone.records["7.2.0.192.in-addr.arpa", "PTR"]
    looking.dns = Dns(5.0, zone.address)
    assert "no reverse DNS" in the_wrong(mail_server.reverse(looking)).seen
    looking.addresses = []
    assert levels(mail_server.reverse(looking)) == ["could not look"]


def test_a_long_record_is_asked_for_again_over_tcp(looking: Looking, zone: DnsServer) -> None:
    zone.text(f"s1._domainkey.{DOMAIN}", f"v=DKIM1; p={a_key(4096)}")
    assert levels(dkim.look(looking)) == ["good"]
    assert [protocol for _, _, protocol in zone.asked] == ["udp", "tcp"]


def test_a_silent_dns_is_given_up_after_two_questions(zone: DnsServer) -> None:
    zone.silent = True
    resolver = Dns(0.2, zone.address)
    for name in ("one.example.org", "two.example.org", "three.example.org"):
        with pytest.raises(CouldNotLookError):
            resolver.texts(name)
    assert {name for name, _, _ in zone.asked} == {"one.example.org", "two.example.org"}


def test_a_broken_zone_is_no_verdict(looking: Looking, zone: DnsServer) -> None:
    zone.broken = {DOMAIN}
    with pytest.raises(CouldNotLookError, match="no usable answer"):
        list(spf.look(looking))
