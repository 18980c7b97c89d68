"""Says every second that it works, and how it was stopped."""

import itertools
import os
import signal
import sys
import time


def stop(number, frame):
    print(f"{os.environ.get('DYNO')} stops: {signal.Signals(number).name}", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
for count in itertools.count(1):
    print(f"{os.environ.get('DYNO')} works: {count}", flush=True)
    if "--once" in sys.argv:
        break
    time.sleep(1)
