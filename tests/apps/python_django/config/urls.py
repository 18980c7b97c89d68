from blog.views import index, visits
from django.contrib import admin
from django.urls import path

urlpatterns = [path("", index), path("visits/", visits), path("admin/", admin.site.urls)]
