"""The door's addresses. Those with a token end without a slash: a redirect would lose the POST."""

from django.urls import URLPattern, path

from subscribers.views import (
    account,
    api,
    confirming,
    embed,
    leaving,
    new_address,
    preferences,
    privacy,
    signup,
    snippets,
    undoing,
)

urlpatterns: list[URLPattern] = [
    path("subscribe/", signup.signup, name="signup"),
    path("subscribe/sent/", signup.signup_sent, name="signup_sent"),
    path("confirm/<str:token>", confirming.confirm, name="confirm"),
    path("preferences/<str:token>", preferences.preferences, name="preferences"),
    path("embed/", embed.embed, name="embed"),
    path("embed/sent/", embed.embed_sent, name="embed_sent"),
    path("embed/code/", snippets.embed_code, name="embed_code"),
    path("api/subscribe", api.subscribe, name="api_subscribe"),
    path("account/<str:token>", account.account, name="account"),
    path("address/<str:token>", new_address.new_address, name="new_address"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("u/<str:token>", leaving.unsubscribe, name="unsubscribe"),
    path("undo/<str:token>", undoing.undo, name="undo"),
]
