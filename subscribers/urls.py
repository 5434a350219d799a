"""The door's addresses. Those with a token end without a slash: a redirect would lose the POST."""

from django.urls import URLPattern, path

from subscribers.views import confirming, leaving, preferences, signup

urlpatterns: list[URLPattern] = [
    path("subscribe/", signup.signup, name="signup"),
    path("subscribe/sent/", signup.signup_sent, name="signup_sent"),
    path("confirm/<str:token>", confirming.confirm, name="confirm"),
    path("preferences/<str:token>", preferences.preferences, name="preferences"),
    path("u/<str:token>", leaving.unsubscribe, name="unsubscribe"),
]
