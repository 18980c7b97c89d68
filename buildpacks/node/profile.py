"""What a Node.js dyno finds in its environment at the start (heroku.md 3.5). Each value stands back behind a config
var.
"""

from __future__ import annotations

NODEJS_SH = """\
export PATH="/app/.heroku/node/bin:$PATH:/app/bin:/app/node_modules/.bin"
export NODE_HOME="/app/.heroku/node"
export NODE_ENV="${NODE_ENV-production}"
export NPM_CONFIG_UPDATE_NOTIFIER="${NPM_CONFIG_UPDATE_NOTIFIER-false}"
"""

# As many processes as the memory of the dyno carries at WEB_MEMORY each. The name sorts behind Python's script: in an
# app of both languages Python's servers read the number, and theirs is set first.
WEB_CONCURRENCY_SH = """\
if [ -n "${MEMORY_AVAILABLE-}" ]; then
  if [ "$MEMORY_AVAILABLE" -gt 16384 ]; then default_web_memory=2048; else default_web_memory=512; fi
  export WEB_MEMORY="${WEB_MEMORY-$default_web_memory}"
  if [ -z "${WEB_CONCURRENCY-}" ] && [ "${WEB_MEMORY:-0}" -gt 0 ]; then
    WEB_CONCURRENCY=$(( MEMORY_AVAILABLE / WEB_MEMORY ))
    if [ "$WEB_CONCURRENCY" -lt 1 ] || [ "$WEB_CONCURRENCY" -gt 200 ]; then WEB_CONCURRENCY=1; fi
    export WEB_CONCURRENCY WEB_CONCURRENCY_SET_BY="heroku/nodejs"
  fi
  if [ "${LOG_CONCURRENCY-}" = true ]; then
    echo "Detected $MEMORY_AVAILABLE MB available memory, $WEB_MEMORY MB limit per process (WEB_MEMORY)"
    echo "Recommending WEB_CONCURRENCY=${WEB_CONCURRENCY-}"
  fi
  unset default_web_memory
fi
"""

# For the libraries that lie beside Node in the slug.
LIBRARIES_SH = """\
export LD_LIBRARY_PATH="/app/.heroku/node/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
"""

SCRIPTS = {"nodejs.sh": NODEJS_SH, "web-concurrency-nodejs.sh": WEB_CONCURRENCY_SH}


def scripts(*, with_libraries: bool) -> dict[str, str]:
    """The scripts of an app, by name."""
    return {**SCRIPTS, "nodejs.sh": NODEJS_SH + LIBRARIES_SH} if with_libraries else SCRIPTS
