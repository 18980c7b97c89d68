"""`python3 -I AGENT serve`: this file is also the agent's own `__main__.py` on a host."""

from __future__ import annotations

import sys

from deployer.host.serve import main

sys.exit(main(sys.argv[1:]))
