"""From the bytes of a JSON request to the fields of the sign-up form."""

import json
from typing import Any

from django.http import HttpRequest, QueryDict

from subscribers import captcha

#: Octets of a request's body. Forty lines of 200 characters fit, and little else.
LONGEST_BODY = 16 * 1024
#: {field: whether it is a list of texts rather than one text}
FIELDS = {
    "address": False,
    "topics": True,
    "words": True,
    "time_zone": False,
    "stamp": False,
    "website": False,
    "captcha": False,
}


class UnreadableError(ValueError):
    """The body is no JSON object; `status` is the answer's, `str()` a sentence for the program's author."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class WrongFieldsError(ValueError):
    """Fields are unknown or hold another kind of value; `errors` is {field: [sentence]}."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("wrong fields")
        self.errors = errors


def read(request: HttpRequest) -> QueryDict:
    """Return the fields of `request` as a form would have sent them.

    Raises UnreadableError (400, 413, 415) and WrongFieldsError.
    """
    given = _parse(_body(request))
    if errors := {name: [fault] for name, value in given.items() if (fault := _fault(name, value))}:
        raise WrongFieldsError(errors)
    fields = QueryDict(mutable=True)
    for name, value in given.items():
        fields.setlist(
            _name(name), value if name == "topics" else ["\n".join(value) if FIELDS[name] else value]
        )
    return fields


def _name(field: str) -> str:
    """Return what the form calls `field`; the captcha's answer goes by its provider's name."""
    puzzle = captcha.in_use()
    return puzzle.field if field == "captcha" and puzzle else field


def _body(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise UnreadableError("Send the fields as JSON, with Content-Type: application/json.", 415)
    try:
        body = request.read(LONGEST_BODY + 1)
    except OSError as error:  # whoever sent it hung up
        raise UnreadableError("The body ended too early.") from error
    if len(body) > LONGEST_BODY:
        raise UnreadableError(f"Keep the body to {LONGEST_BODY:,} octets.", 413)
    return body


def _parse(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body.decode())
        # Half of a surrogate pair is a JSON string and no text: neither keys nor databases take it.
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnreadableError("The body is not JSON in UTF-8. Send one object with the fields.") from error
    if not isinstance(given, dict):
        raise UnreadableError('The body is not an object. Send {"address": "name@example.org", ...}.')
    return given


def _fault(name: str, value: object) -> str:
    """Return what is wrong with the kind of `value`, or nothing."""
    if name not in FIELDS:
        return f"There is no such field. There are: {', '.join(FIELDS)}."
    if FIELDS[name]:
        texts = isinstance(value, list) and all(isinstance(text, str) for text in value)
        return "" if texts else "Write a list of texts."
    return "" if isinstance(value, str) else "Write a text."
