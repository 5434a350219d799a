"""Behind a fresh link: change the address, take the data along, be erased."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import address_changes, lifecycle
from subscribers.addresses import masked
from subscribers.consent import MOVING
from subscribers.forms import AddressForm
from subscribers.links import LIFETIMES, Claims, Purpose
from subscribers.models import AddressChange, Subscriber
from subscribers.views.guards import behind_a_token, closed, trace_of
from subscribers.views.saying import just_saved, saved


@behind_a_token(Purpose.ACCOUNT)
def account(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show what can be done with the address and the data, and do it when a button is pressed.

    Who has left, or never confirmed, still has data here to take along or to erase.
    """
    reader = Subscriber.objects.filter(public_id=claims.subject).first()
    if reader is None:
        return closed(request, "Nothing about you is stored behind this link any more.", 410)
    if request.method != "POST":
        return _account_page(request, reader, AddressForm())
    if request.GET.get("do") == "erase":
        lifecycle.erase(reader.public_id, at=timezone.now(), trace=trace_of(request, "account page"))
        return render(request, "web/erased.html")
    if request.GET.get("do") == "stay":
        address_changes.cancel(reader.public_id)
        return saved(request, "stay", timezone.now())
    return _ask_new_address(request, reader)


def _ask_new_address(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    form, now = AddressForm(request.POST), timezone.now()
    if form.is_valid():
        trace = trace_of(request, MOVING)
        try:
            address_changes.ask(reader.public_id, form.cleaned_data["address"], at=now, trace=trace)
        except address_changes.SameAddressError as error:
            form.add_error("address", str(error))
        except lifecycle.NotSubscribedError:
            return closed(request, "There is no subscription behind this link any more.", 410)
        else:
            return saved(request, "address", now)
    return _account_page(request, reader, form)


def _account_page(request: HttpRequest, reader: Subscriber, form: AddressForm) -> HttpResponse:
    since = timezone.now() - LIFETIMES[Purpose.NEW_ADDRESS]
    wish = AddressChange.objects.filter(subscriber=reader, asked_at__gt=since).first()
    page: dict[str, Any] = {
        "waiting": masked(wish.address) if wish else "",
        "form": form,
        "address": masked(reader.address),
        "active": reader.status == Subscriber.Status.ACTIVE,
        "saved": just_saved(request),
        "token": request.path.rpartition("/")[2],
    }
    return render(request, "web/account.html", page, status=422 if form.errors else 200)
