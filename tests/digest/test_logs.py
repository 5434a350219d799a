"""Logs: one JSON object a line in production, tracebacks as text."""

import json
import logging
import logging.config

import pytest
import structlog
from django.utils.log import DEFAULT_LOGGING

from digest import logs
from subscribers import links
from tests.cast import NOON


def line_of(record: logging.LogRecord) -> dict[str, str]:
    configured = logs.configure(level="INFO", readable=False)["formatters"]["lines"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processor=configured["processor"], foreign_pre_chain=configured["foreign_pre_chain"]
    )
    parsed: dict[str, str] = json.loads(formatter.format(record))
    return parsed


def test_a_traceback_is_text_in_the_line() -> None:
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        exc_info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("digest.x", logging.ERROR, __file__, 1, "fault", (), exc_info)
    line = line_of(record)
    assert line["event"] == "fault"
    assert "ZeroDivisionError: integer division" in line["exception"]
    assert "test_logs.py" in line["exception"]


def test_a_line_says_who_and_when() -> None:
    line = line_of(logging.LogRecord("digest.x", logging.INFO, __file__, 1, "said", (), None))
    assert (line["logger"], line["level"]) == ("digest.x", "info")
    assert line["timestamp"].endswith("Z")


def test_no_line_holds_a_readers_link() -> None:
    link = "/u/1.k1.u.AbC-d_e.f0f0"
    try:
        int(f"https://papers.example.org{link}")
    except ValueError as error:
        exc_info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Fault at %s", (link,), exc_info)
    line = line_of(record)
    assert line["event"] == "Fault at /u/..."
    assert "AbC-d_e" not in json.dumps(line)


@pytest.mark.parametrize(
    "url",
    [
        links.account_url("AbC", NOON),
        links.new_address_url("AbC", binding="f0", at=NOON),
        links.undo_url("AbC", NOON),
        links.preferences_url("AbC", NOON),
        links.confirm_url("AbC", binding="f0", at=NOON),
        links.unsubscribe_url("AbC"),
    ],
)
def test_every_kind_of_link_is_cut(url: str) -> None:
    line = line_of(
        logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Fault at %s", (url,), None)
    )
    assert "AbC" not in json.dumps(line)


def test_no_report_holds_a_readers_link() -> None:
    report = {
        "request": {"url": "https://papers.example.org/confirm/1.k1.c.AbC.f0?x=1"},
        "breadcrumbs": ["/u/abc"],
    }
    assert "AbC" not in json.dumps(logs.without_readers_in_report(report, {}))
    assert "?x=1" in json.dumps(logs.without_readers_in_report(report, {}))


def test_djangos_lines_are_written_once() -> None:
    settings_logging = logs.configure(level="INFO", readable=False)
    logging.config.dictConfig({**DEFAULT_LOGGING, "disable_existing_loggers": False})
    logging.config.dictConfig(settings_logging)
    assert logging.getLogger("django").handlers == []
