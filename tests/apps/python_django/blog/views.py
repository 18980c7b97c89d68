import os

from blog.models import Visit
from django.http import HttpResponse

GREETING = "Hello from Django"


def index(request):
    release = os.environ.get("HEROKU_RELEASE_VERSION", "")
    return HttpResponse(f"{GREETING} {release} on {os.environ.get('DYNO', '')}\n", content_type="text/plain")


def visits(request):
    Visit.objects.create()
    return HttpResponse(f"{Visit.objects.count()}\n", content_type="text/plain")
