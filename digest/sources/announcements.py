"""arXiv's calendar: which feed a submission comes out in (info.arxiv.org/help/availability).

Submissions close at 14:00 Eastern and are announced at 20:00 Eastern, Sunday to Thursday; the feed that holds
them bears the next day's date. Thursday 14:00 to Friday 14:00 comes out on Sunday evening, the week-end with
Monday's. So Monday's feed is of Friday's cut-off, Tuesday's of Monday's, and Saturday and Sunday have none.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_CUT_OFF = time(14, 0)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_DAY = timedelta(days=1)
#: Evenings without announcement beside Fridays and Saturdays, as arXiv published them. One that is not listed
#: here moves the papers of a back-filled day by a working day and loses none.
NO_MAIL = frozenset(
    date.fromisoformat(day)
    for day in (
        "2026-01-01", "2026-01-19", "2026-06-19", "2026-07-03", "2026-09-07", "2026-11-26", "2026-12-25",
        "2026-12-29", "2026-12-31",
    )
)  # fmt: skip


def eastern_date(at: datetime) -> date:
    """Return the date on arXiv's wall calendar at the moment `at`."""
    return at.astimezone(EASTERN).date()


def has_announcement(day: date) -> bool:
    """Say whether the feed of the Eastern date `day` has papers by the calendar."""
    return _mails(day - _DAY)


def submitted_between(day: date) -> tuple[datetime, datetime] | None:
    """Return the UTC moments [first, end) between which the papers of the feed of `day` were submitted.

    None where that date has no feed with papers: week-ends and holidays.
    """
    evening = day - _DAY
    if not _mails(evening):
        return None
    before = evening - _DAY
    while not _mails(before):
        before -= _DAY
    return _closing(before), _closing(evening)


def announced_on(submitted: datetime) -> date:
    """Return the Eastern date of the feed that holds what was submitted at `submitted`."""
    evening = eastern_date(submitted)
    while not _mails(evening) or submitted >= _closing(evening):
        evening += _DAY
    return evening + _DAY


def _mails(evening: date) -> bool:
    return evening.weekday() not in {_FRIDAY, _SATURDAY} and evening not in NO_MAIL


def _closing(evening: date) -> datetime:
    """Return the cut-off of what is announced on `evening`: the same day's, on Sundays that of Friday."""
    closes = evening - 2 * _DAY if evening.weekday() == _SUNDAY else evening
    return datetime.combine(closes, _CUT_OFF, tzinfo=EASTERN).astimezone(UTC)
