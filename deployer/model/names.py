"""The names that people choose, checked at the door. None of them can hold a dot, a slash or a newline."""

from __future__ import annotations

import re

APP = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")  # Heroku's Platform API schema, 3 to 30 characters
SPACE = re.compile(r"[a-z][a-z0-9-]{0,28}[a-z0-9]|[a-z]")
PROCESS_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
CONFIG_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*|_[A-Za-z0-9][A-Za-z0-9_]*")  # not `__`: Heroku refuses it
INSTANCE = re.compile(r"([a-z][a-z0-9-]*)\.([A-Za-z0-9][A-Za-z0-9_-]*)\.([0-9]+)\.v([0-9]+)")


def is_app_name(text: str) -> bool:
    """Whether `text` can name an app."""
    return APP.fullmatch(text) is not None


def is_space_name(text: str) -> bool:
    """Whether `text` can name a space."""
    return SPACE.fullmatch(text) is not None


def is_process_type(text: str) -> bool:
    """Whether `text` can name a process type in a Procfile."""
    return PROCESS_TYPE.fullmatch(text) is not None


def is_config_key(text: str) -> bool:
    """Whether `text` can name a config var."""
    return CONFIG_KEY.fullmatch(text) is not None
