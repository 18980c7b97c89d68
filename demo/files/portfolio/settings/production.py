import hashlib
import os
import secrets

import dj_database_url

from .base import *

DEBUG = False

# Everything that differs between the places where this site runs comes from config vars.
DATABASES["default"] = dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}", conn_max_age=600)


def secret_key():
    """The config var; else a key as secret as the database's password; during a build, where nothing is signed, any."""
    database_url = os.environ.get("DATABASE_URL")
    fallback = hashlib.sha256(database_url.encode()).hexdigest() if database_url else secrets.token_hex()
    return os.environ.get("SECRET_KEY", fallback)


SECRET_KEY = secret_key()

# The router passes on requests for this app's names only.
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
WAGTAIL_SITE_NAME = "My portfolio"
WAGTAILADMIN_BASE_URL = os.environ.get("BASE_URL", "http://my-portfolio-app.localhost:8080")

# Static files come from the slug, compressed once, with a hash in their names.
MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
STORAGES["staticfiles"]["BACKEND"] = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STATIC_ROOT = BASE_DIR / "staticfiles"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
