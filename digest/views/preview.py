"""The preview on the web: what today's digest would have brought, asked by the forms before they are sent."""

from itertools import islice

from django.core.exceptions import SuspiciousOperation, ValidationError
from django.forms import MultipleChoiceField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

from digest.previewing import Asked, preview
from subscribers import captcha, limits
from subscribers.forms import LinesField, SignupForm
from subscribers.models import Preference, Topic
from subscribers.networks import client_address
from subscribers.views.guards import see_other, show_or_act

#: Bytes of a form that are read: every line it allows, in any script, fits.
LONGEST_BODY = 256 * 1024
#: Lines of one field that are looked at, blank ones among them.
_MOST_LINES = 10 * LinesField.most_lines
_LINE = LinesField()
#: Characters of one field that are looked at.
_LONGEST = _LINE.longest
_UNREADABLE = "That is more than a preview can look through, or it broke on its way. Please ask for less."
_TOO_OFTEN = (
    "Too many previews are asked for from your network just now. Nothing you typed is lost: please try again "
    "in a minute, or subscribe all the same."
)


@csrf_exempt
@show_or_act
@cache_control(no_store=True, private=True)
@captcha.allowed
def show_preview(request: HttpRequest) -> HttpResponse:
    """Answer what the sign-up form or the preferences page asks: the fragment for htmx, else a whole page.

    A question by POST, so that no words end in an address or a log. Exempt from the CSRF check: it reads no
    cookie and changes nothing, so a forged one gains nothing, and the forms stay free of cookies.
    """
    if request.method != "POST":
        return see_other(reverse("signup"))
    try:
        form = _form(request)
    except (SuspiciousOperation, MultiPartParserError, ValueError):
        return _answer(request, {"refusal": _UNREADABLE, "lost": True}, status=400)
    page: dict[str, object] = {"choosing": "frequency" in form, "form": form}
    at = timezone.now()
    if not limits.may_preview(client_address(request), at=at):
        refused = _answer(request, {**page, "refusal": _TOO_OFTEN}, status=429)
        refused["Retry-After"] = "60"
        return refused
    asked, left_out = _asked(form)
    return _answer(request, {**page, "left_out": left_out, "preview": preview(asked, at=at)})


def _form(request: HttpRequest) -> QueryDict:
    """Return the form sent. Raises SuspiciousOperation, MultiPartParserError or ValueError if it is unfit."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        raise SuspiciousOperation(f"A form of more than {LONGEST_BODY} bytes.")
    return request.POST


def _answer(request: HttpRequest, page: dict[str, object], status: int = 200) -> HttpResponse:
    """Return the fragment or the page. htmx shows answers of status 200 only, refusals must be seen too."""
    if request.headers.get("HX-Request") == "true":
        return render(request, "web/preview.html", page)
    if isinstance(form := page.get("form"), QueryDict):
        page["signup_form"] = _refilled(form)
    return render(request, "web/preview_page.html", page, status=status)


def _asked(form: QueryDict) -> tuple[Asked, list[str]]:
    """Return what is asked for, and sentences about what is not: a line may be half typed."""
    left_out: list[str] = []
    words, authors, excluded = (
        _lines(form.get(name, ""), left_out) for name in ("words", "authors", "excluded")
    )
    return Asked(_topics(form), words, authors, excluded), list(dict.fromkeys(left_out))


def _topics(form: QueryDict) -> dict[int, float]:
    """Return {topic id: weight} from either form; names and numbers of no topic on offer are ignored."""
    slugs = set(form.getlist("topics"))
    weights = {str(weight): float(weight) for weight in Preference.Weight.values}
    found = {}
    for key, slug in Topic.objects.filter(active=True).values_list("pk", "slug"):
        if slug in slugs:
            found[key] = float(Preference.Weight.NORMAL)
        elif weight := weights.get(form.get(f"topic-{key}", "")):
            found[key] = weight
    return found


def _lines(text: str, left_out: list[str]) -> list[str]:
    """Return the lines that a digest would follow; the others' faults are added to `left_out`.

    Of a text longer than the field may be, the whole lines count that fit: the time that NFC takes grows with
    the square of a run of accents.
    """
    kept: dict[str, str] = {}
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition("\n")[0]
        left_out.append(f"what comes after the first {_LONGEST:,} characters.")
    for line in islice(text.splitlines(), _MOST_LINES):
        try:
            kept |= {entry.casefold(): entry for entry in _LINE.clean(line)}
        except ValidationError as error:
            left_out += error.messages
    if len(kept) > LinesField.most_lines:
        left_out.append(f"the lines after the first {LinesField.most_lines}.")
    return list(kept.values())[: LinesField.most_lines]


def _refilled(given: QueryDict) -> SignupForm:
    """Return the sign-up form as it was filled, unjudged: nobody has pressed its button yet.

    Its stamp stays too: the time runs from when the first page was shown.
    """
    form = SignupForm()
    for name, field in form.fields.items():
        if given.get(name):
            many = isinstance(field, MultipleChoiceField)
            form.initial[name] = given.getlist(name) if many else given[name]
    return form
