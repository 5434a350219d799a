"""The judge of the kill test sees each fault it is there for."""

from dataclasses import replace

import pytest

from tests.chaos.judging import Death, Facts, Row, Verdict, judge, judge_next
from tests.chaos.ledger import Ledger, Mail

PAPERS = frozenset({"2603.00001", "2603.00002"})
NEW = frozenset({"2603.00013"})
READERS = [f"reader-{number}" for number in range(4)]


def a_row(number: int, state: str = "accepted") -> Row:
    return Row(READERS[number], f"delivery-{number}", state, PAPERS)


def a_mail(number: int, papers: frozenset[str] = PAPERS) -> Mail:
    return Mail(READERS[number], f"delivery-{number}", papers)


#: Four readers, one killed process; of the last reader's delivery nobody knows, and it had not arrived.
FINE = Facts(
    mails=[a_mail(0), a_mail(1), a_mail(2)],
    rows=[a_row(0), a_row(1), a_row(2), a_row(3, "unknown")],
    eligible=READERS,
    balance="enrolled 4 = accepted 3 + unknown 1",
    exact=True,
    deaths=[Death(1, 9, frozenset({"delivery-3"}))],
    kills_planned=1,
    in_flight=8,
)


def test_a_run_as_it_should_be_has_no_fault() -> None:
    assert judge(FINE) == Verdict(sent=3, unknown=1)


def test_an_unknown_that_arrived_is_counted_and_no_fault() -> None:
    verdict = judge(replace(FINE, mails=[*FINE.mails, a_mail(3)]))
    assert (verdict.unknown, verdict.arrived, verdict.faults) == (1, 1, [])


def test_a_planted_duplicate_is_seen() -> None:
    verdict = judge(replace(FINE, mails=[*FINE.mails, a_mail(1)]))
    assert verdict.duplicates == 1
    assert verdict.faults == ["1 mails came twice"]


def test_a_second_mail_under_another_name_is_a_duplicate_too() -> None:
    verdict = judge(replace(FINE, mails=[*FINE.mails, Mail(READERS[1], "delivery-9", PAPERS)]))
    assert verdict.duplicates == 1


def test_a_planted_loss_is_seen() -> None:
    rows = [*FINE.rows[:2], a_row(2, "expired"), FINE.rows[3]]
    verdict = judge(replace(FINE, rows=rows, mails=FINE.mails[:2]))
    assert verdict.lost == 1
    assert verdict.faults == ["1 deliveries ended as expired", "1 readers got nothing"]


def test_a_reader_whom_enrolment_forgot_is_lost() -> None:
    verdict = judge(replace(FINE, rows=FINE.rows[1:], mails=FINE.mails[1:]))
    assert verdict.lost == 1
    assert verdict.faults == ["1 readers were not enrolled"]


def test_a_false_accepted_is_seen() -> None:
    verdict = judge(replace(FINE, mails=FINE.mails[:2]))
    assert verdict.lost == 1
    assert verdict.faults[0] == "1 deliveries are accepted that no mail server took"


def test_a_mail_that_the_database_does_not_know_of_is_seen() -> None:
    rows = [a_row(0, "rejected"), *FINE.rows[1:]]
    assert "1 mails left, and the database does not say so" in judge(replace(FINE, rows=rows)).faults


def test_other_papers_than_the_database_says_are_seen() -> None:
    mails = [a_mail(0, NEW), *FINE.mails[1:]]
    assert judge(replace(FINE, mails=mails)).faults == ["1 mails have other papers than the database says"]


def test_an_account_out_of_balance_is_seen() -> None:
    verdict = judge(replace(FINE, exact=False, balance="enrolled 5 != accepted 3 + unknown 1"))
    assert verdict.unbalanced == 1
    assert verdict.faults == ["1 account does not balance: enrolled 5 != accepted 3 + unknown 1"]


def test_an_unknown_that_was_not_on_the_wire_is_one_too_many() -> None:
    verdict = judge(replace(FINE, deaths=[Death(1, 9, frozenset({"delivery-2"}))]))
    assert verdict.faults == ["1 deliveries are unknown that were not on the wire when somebody died"]


def test_more_unknown_than_two_groups_a_process_are_too_many() -> None:
    rows = [replace(a_row(0, "unknown"), reader=f"r{n}", delivery=f"d{n}") for n in range(17)]
    facts = replace(
        FINE,
        rows=rows,
        mails=[],
        eligible=[row.reader for row in rows],
        deaths=[Death(1, 9, frozenset(row.delivery for row in rows))],
    )
    assert judge(facts).faults == ["1 unknown more than two groups a process (16)"]


@pytest.mark.parametrize("deaths", [[], [Death(1, 0)], [Death(2, 15)]])
def test_a_kill_that_did_not_happen_is_no_pass(deaths: list[Death]) -> None:
    rows, mails = [*FINE.rows[:3], a_row(3)], [*FINE.mails, a_mail(3)]
    verdict = judge(replace(FINE, rows=rows, mails=mails, deaths=deaths))
    assert verdict.faults == ["1 planned kills did not happen"]


def the_next(*mails: Mail) -> Verdict:
    verdict = Verdict()
    judge_next(verdict, FINE.rows, mails, READERS, NEW)
    return verdict


def test_the_next_edition_brings_back_what_was_unknown_and_nothing_else() -> None:
    mails = [*(a_mail(number, NEW) for number in range(3)), a_mail(3, NEW | PAPERS)]
    assert the_next(*mails) == Verdict()
    assert the_next(*mails, mails[0]).duplicates == 1
    assert the_next(*mails[1:]).lost == 1


def test_a_paper_that_comes_again_to_who_had_it_is_seen() -> None:
    mails = [
        *(a_mail(number, NEW | PAPERS) for number in (0, 3)),
        *(a_mail(number, NEW) for number in (1, 2)),
    ]
    assert the_next(*mails).faults == ["1 readers got papers again that they had"]


def test_a_paper_that_does_not_come_back_after_an_unknown_delivery_is_lost() -> None:
    verdict = the_next(*(a_mail(number, NEW) for number in range(4)))
    assert verdict.lost == 1
    assert "missed their papers for good" in verdict.faults[0]


def test_the_ledger_reads_recipient_delivery_and_papers_of_a_message() -> None:
    ledger = Ledger()
    body = (
        b"Subject: x\r\nMessage-ID: <abc_-9@papers.example.org>\r\n\r\nhttps://arxiv.org/abs/2603.00001\r\n"
    )
    ledger.take([b"reader-0"], body)
    assert ledger.mails() == [Mail("reader-0", "abc_-9", frozenset({"2603.00001"}))]
