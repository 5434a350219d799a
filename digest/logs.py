"""Structured logs: lines for people in development, JSON in production. No address and no secret goes in."""

import json
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

#: What follows in a path is a reader's signed link: whoever reads the log could use it.
_SIGNED = re.compile(r"(/(?:c|u|confirm|preferences|account|address|undo)/)[^\s\"'<>?]+")
#: An address, as it is written or quoted in a link. So is a password in the address of a server.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;=&?/@\[\]\\]+(?:@|%40)[^\s<>\"'(),:;=&?/@\[\]\\]+", re.IGNORECASE)
#: What structlog itself keeps in a line's dictionary, and what its console draws by itself.
_ITS_OWN = {"_record", "_from_structlog", "exc_info"}
#: Lines of other people's code that name whom they are about, or drown the ones that say what happened to a
#: paper or a reader: Celery's name arguments, axes' names and addresses, Django's whole statements.
_LEVELS = {
    **dict.fromkeys(("httpx", "httpcore", "urllib3", "requests", "celery", "kombu", "amqp"), "WARNING"),
    **dict.fromkeys(("botocore", "boto3", "s3transfer", "PIL", "asyncio", "anymail"), "WARNING"),
    **dict.fromkeys(("django.db.backends", "django.template"), "INFO"),
    "axes": "CRITICAL",
}


def cut(text: str) -> str:
    """Return `text` without readers' signed links and without addresses."""
    return _ADDRESS.sub("(address)", _SIGNED.sub(r"\1...", text))


def without_readers(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cut signed links and addresses out of a whole line, tracebacks included; a processor of structlog."""
    for key, value in event.items():
        if key not in _ITS_OWN:
            event[key] = _cut_within(value)
    return event


def _cut_within(value: Any) -> Any:  # noqa: ANN401 - whatever is logged
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {cut(str(key)): _cut_within(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_cut_within(part) for part in value]
    return cut(str(value))


def without_readers_in_report(report: Any, _hint: dict[str, Any]) -> Any:  # noqa: ANN401 - Sentry's own shape
    """Cut signed links and addresses out of an error report before it leaves for Sentry."""
    return json.loads(cut(json.dumps(report, default=str)))


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
    shared.append(without_readers)
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
            **{name: {"level": least} for name, least in _LEVELS.items()},
            "django": {},  # else Django's own console handler writes each of its lines a second time
        },
    }
