"""What a Python dyno finds in its environment at the start (heroku.md 3.5). Each value stands back behind a config var.

PYTHONHOME and LD_LIBRARY_PATH are not set, unlike on Heroku: the packages lie in a virtual environment, which needs
neither."""

from __future__ import annotations

PYTHON_SH = """\
export PATH="/app/.heroku/python/bin:$PATH"
export PYTHONUNBUFFERED="${PYTHONUNBUFFERED-true}"
export LANG="${LANG:-en_US.UTF-8}"
export PYTHONPATH="${PYTHONPATH-$HOME}"
export FORWARDED_ALLOW_IPS="${FORWARDED_ALLOW_IPS-*}"
export GUNICORN_CMD_ARGS="${GUNICORN_CMD_ARGS---access-logfile -}"
"""

# As many workers as the memory of the dyno carries at 256 MB each, and no more than two per processor and one.
WEB_CONCURRENCY_SH = """\
if [ -z "${WEB_CONCURRENCY-}" ] && [ -n "${MEMORY_AVAILABLE-}" ]; then
  by_cores=$(( $(nproc) * 2 + 1 ))
  by_memory=$(( MEMORY_AVAILABLE / 256 ))
  WEB_CONCURRENCY=$(( by_memory < by_cores ? by_memory : by_cores ))
  if [ "$WEB_CONCURRENCY" -lt 1 ]; then WEB_CONCURRENCY=1; fi
  export WEB_CONCURRENCY WEB_CONCURRENCY_SET_BY="heroku/python" DYNO_RAM="${DYNO_RAM-$MEMORY_AVAILABLE}"
  unset by_cores by_memory
fi
"""

SCRIPTS = {"python.sh": PYTHON_SH, "python-web-concurrency.sh": WEB_CONCURRENCY_SH}
