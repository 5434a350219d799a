"""Which tests a run holds, and whether it may skip any. A plugin: see `addopts` in pyproject.toml."""

import os

import pytest
from django.conf import settings

_SKIPPED: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, rather than skip, what this machine's settings have nothing for."""
    absent = set()
    if "PAPERBOY_REAL_DATA" not in os.environ:
        absent.add("realdata")
    if not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        absent.add("postgres")
    out = [item for item in items if absent & {mark.name for mark in item.iter_markers()}]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped."""
    if report.skipped:
        _SKIPPED.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which nothing may be skipped and something was."""
    if os.environ.get("PAPERBOY_FORBID_SKIPS") and _SKIPPED:
        print(f"\n{len(_SKIPPED)} skipped, and PAPERBOY_FORBID_SKIPS is set: {', '.join(_SKIPPED[:5])}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
