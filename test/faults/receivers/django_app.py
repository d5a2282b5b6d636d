"""A receiver as a Django project in one file: python3 django_app.py runserver --noreload 127.0.0.1:PORT"""
import hashlib
import hmac
import json
import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(
    ALLOWED_HOSTS=["*"], DEBUG=False, ROOT_URLCONF=__name__, SECRET_KEY="test", MIDDLEWARE=["django.middleware.common.CommonMiddleware"]
)


@csrf_exempt
def hook(request):
    with open(os.environ["SECRET_FILE"]) as file:
        secret = file.read().strip()
    expected = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-GudDesk-Signature", "")):
        return HttpResponse("not signed", status=401)
    return HttpResponse("verified " + json.loads(request.body)["event"])


@csrf_exempt
def crash(request):
    raise RuntimeError("a fault of the receiver")


urlpatterns = [path("hook", hook), path("crash", crash)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
