import os
import subprocess
from pathlib import Path

from django.http import HttpResponse
from django.templatetags.static import static

RENDER = Path(__file__).resolve().parent.parent / "render.js"
PAGE = """<!doctype html>
<link rel="stylesheet" href="{css}">
<p data-markdown>Hello from **Django** {release}</p>
<script src="{js}"></script>
"""


def index(request):
    release = os.environ.get("HEROKU_RELEASE_VERSION", "")
    return HttpResponse(PAGE.format(css=static("site.css"), js=static("site.js"), release=release))


def rendered(request):
    text = "Rendered by **Node** for *Django*"
    done = subprocess.run(["node", RENDER], input=text, capture_output=True, text=True, check=True)
    return HttpResponse(done.stdout)
