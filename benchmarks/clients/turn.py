"""One turn, in its own process: `python -m benchmarks.clients.turn NAME TOPIC SUBSCRIPTION COUNT` prints CPU and seconds as JSON.

PYTEST_DONT_REWRITE
"""

import json
import sys

from benchmarks.clients.candidates import CANDIDATES

if __name__ == "__main__":
    name, topic, subscription, count = sys.argv[1:]
    measured = CANDIDATES[name](topic, subscription, int(count))
    sys.stdout.write(json.dumps({"cpu_s": measured.cpu_s, "wall_s": measured.wall_s}))
