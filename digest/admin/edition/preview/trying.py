"""A test mail to oneself."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from digest import proofing, trial
from digest.admin.edition.pages import of_an_edition
from digest.admin.edition.preview import pages, whose
from digest.admin.edition.preview.forms import MyAddressForm
from digest.models import Edition
from digest.proofing import NoProofError
from subscribers import audit, limits
from subscribers.addresses import AddressError, address_hash, masked, normalise
from subscribers.models import AuditEvent, Suppression, new_public_id
from subscribers.transport import Fate

_DEED = "test mail to their own address"
_TOO_OFTEN = (
    f"That is {limits.TESTS_PER_PERSON} test mails within an hour, which is the most. Nothing was sent; "
    "please try again later."
)
_NO_ADDRESS = "Your account has no address that can be written to. Please write it below first."
_LISTED = (
    "Nothing was sent: your address is on the suppression list, and nothing is ever sent to those. An "
    "operator can take it off."
)


@of_an_edition("digest.shape_edition")
@require_POST
def test(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Send the mail that is looked at to the address of whoever is logged in, and say what became of it."""
    now = timezone.now()
    sent, sentence = _try(request, edition, now)
    (messages.success if sent else messages.error)(request, sentence)
    return pages.see(edition, whose.asked(request).key, request)


@of_an_edition("digest.shape_edition")
@require_POST
def my_address(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Write the address of the account that is logged in."""
    form = MyAddressForm(request.POST)
    if not form.is_valid():
        return pages.shown(request, edition, {"address_form": form})
    get_user_model().objects.filter(pk=int(request.user.pk or 0)).update(email=form.cleaned_data["email"])
    about = f"account {request.user.get_username()}"
    audit.record(request, AuditEvent.Kind.CHANGED, about, "its own address", at=timezone.now())
    messages.success(request, f"Test mails go to {masked(form.cleaned_data['email'])} from now on.")
    return pages.see(edition, whose.asked(request).key, request)


def _try(request: HttpRequest, edition: Edition, now: datetime) -> tuple[bool, str]:
    """Return whether a test mail left, and the sentence that tells of it."""
    try:
        to = normalise(str(getattr(request.user, "email", "") or ""))
    except AddressError:
        return False, _NO_ADDRESS
    if Suppression.objects.filter(address_hash=address_hash(to)).exists():
        return False, _LISTED
    asked = whose.asked(request)
    try:
        proof = whose.proof(request, edition, asked, at=now, to=to, delivery=new_public_id())
    except NoProofError as error:
        return False, f"Nothing was sent. {error}"
    if not _may(request, now):
        return False, _TOO_OFTEN
    outcome = trial.send(proofing.marked(proof.message))
    audit.record(request, AuditEvent.Kind.DEED, str(edition), f"{_DEED}: {outcome.fate}", at=timezone.now())
    return outcome.fate is Fate.ACCEPTED, trial.told(outcome, masked(to))


def _may(request: HttpRequest, now: datetime) -> bool:
    """Say whether this person may have one more; where the cache is away, the log of deeds tells."""
    key = int(request.user.pk or 0)
    allowed = limits.may_have_test(key, at=now)
    if allowed is not None:
        return allowed
    lately = AuditEvent.objects.filter(by=key, at__gt=now - timedelta(hours=1), detail__startswith=_DEED)
    return lately.count() < limits.TESTS_PER_PERSON
