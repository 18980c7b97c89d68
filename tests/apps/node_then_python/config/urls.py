from django.urls import path

from config.views import index, rendered

urlpatterns = [path("", index), path("rendered/", rendered)]
