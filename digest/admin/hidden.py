"""What packages would put on the desk and nobody should find there: the secrets of second factors."""

from importlib import import_module

from django.contrib import admin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

# Their pages are registered by then, and not a second time.
import_module("django_otp.plugins.otp_totp.admin")
import_module("django_otp.plugins.otp_static.admin")
admin.site.unregister([TOTPDevice, StaticDevice])
