"""How often beat asks for each task. It knows nothing else: rows say what is due."""

from typing import Any

BEAT: dict[str, dict[str, Any]] = {
    # How often is a setting, TICK_SECONDS.
    "tick": {"task": "digest.tasks.tick", "schedule": 60.0, "options": {"expires": 55}},
    # Who has just signed up looks for the mail now, not in a minute; and the web never waits for the broker.
    "outbox": {"task": "subscribers.tasks.send_outbox", "schedule": 10.0, "options": {"expires": 9}},
    # Rows say what to import; while one worker is at it, the others find nothing to do.
    "imports": {"task": "subscribers.tasks.import_readers", "schedule": 5.0, "options": {"expires": 4}},
    # Rows say which edition's reach is out of date; a worker holds it while it reckons.
    "reach": {"task": "digest.tasks.reckon", "schedule": 10.0, "options": {"expires": 9}},
    "watch": {"task": "digest.tasks.watch", "schedule": 5.0, "options": {"expires": 4}},
    "events": {"task": "digest.tasks.apply_events", "schedule": 10.0, "options": {"expires": 9}},
    "tally": {"task": "digest.tasks.tally", "schedule": 60.0, "options": {"expires": 55}},
    "forget": {"task": "digest.tasks.forget", "schedule": 3600.0, "options": {"expires": 3500}},
    "tidy": {"task": "subscribers.tasks.tidy", "schedule": 3600.0, "options": {"expires": 3500}},
}

#: The last of the priorities, which begin with 0 in Redis. What may take a worker for long waits in the queue
#: behind all that takes a moment.
LAST = 9
ROUTES = {
    name: {"priority": LAST}
    for name in (
        "digest.tasks.deliver",
        "digest.tasks.ingest",
        "digest.tasks.reckon",
        "digest.tasks.tally",
        "digest.tasks.forget",
        "subscribers.tasks.import_readers",
        "subscribers.tasks.tidy",
    )
}
