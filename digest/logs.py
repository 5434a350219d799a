"""Structured logs: lines for people in development, JSON in production. No address and no secret goes in."""

import json
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

#: What follows in a path is a reader's signed link: whoever reads the log could use it.
_SIGNED = re.compile(r"(/(?:c|u|confirm|preferences|account|address|undo)/)[^\s\"'<>?]+")


def without_links(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut signed links out of every text of a line, tracebacks included; a processor of structlog."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _SIGNED.sub(r"\1...", value)
    return event


def without_links_in_report(report: Any, _hint: dict[str, Any]) -> Any:  # noqa: ANN401 - Sentry's own shape
    """Cut signed links out of an error report before it leaves for Sentry."""
    cut: Any = json.loads(_SIGNED.sub(r"\1...", json.dumps(report, default=str)))
    return cut


def configure(*, level: str, readable: bool) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING, so that both write the same lines to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not readable:  # the console draws tracebacks by itself; JSON wants them as text
        shared.append(structlog.processors.format_exc_info)
    shared.append(without_links)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer()
    if readable:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    lines = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": renderer,
        "foreign_pre_chain": shared,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": lines},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # A line per request or task drowns the ones that say what happened to a paper or a reader.
            **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "celery", "axes")},
            "django": {},  # else Django's own console handler writes each of its lines a second time
        },
    }
