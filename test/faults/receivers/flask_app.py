"""A receiver as Flask's documentation has it, for gunicorn: flask_app:app."""
import hashlib
import hmac
import os

from flask import Flask, request

app = Flask(__name__)


@app.post("/hook")
def hook():
    with open(os.environ["SECRET_FILE"]) as file:
        secret = file.read().strip()
    body = request.get_data()
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-GudDesk-Signature", "")):
        return "not signed", 401
    return "verified " + request.get_json()["event"]


@app.post("/crash")
def crash():
    raise RuntimeError("a fault of the receiver")
