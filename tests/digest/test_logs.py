"""Logs: one JSON object a line in production, tracebacks as text."""

import json
import logging

import structlog

from digest import logs


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
