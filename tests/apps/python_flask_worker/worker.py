import os
import signal
import sys
import time


def stop(signum, frame):
    print(f"worker stops on signal {signum}", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
beat = 0
while True:
    print(f"worker {os.environ.get('DYNO', '')} beat {beat}", flush=True)
    beat += 1
    time.sleep(float(os.environ.get("BEAT_SECONDS", "5")))
