"""A full scan of a database, beside a bare loop that reads and parses the same records.

    python benchmarks/data.py [--mebibytes N] [--rounds N]

The database holds bytes of 3 x 256 x 256 and a label a record, as convert_imageset writes them. Both run as fresh
processes, and the least of each counts: seconds on the clock and of CPU, and the greatest resident
memory, of which a mapped database is a part. Prints a table.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SHAPE = (3, 256, 256)
BARE = """
import sys, lmdb
from nanlint.data.messages import message
datum = message("Datum")
with lmdb.open(sys.argv[1], readonly=True, lock=False, readahead=False) as opened, opened.begin() as store:
    print(sum(len(datum.FromString(value).data) for _, value in store.cursor()))
"""
SCAN = """
import sys
from nanlint.data.client import Worker
from nanlint.data.request import Request
from nanlint.data.scan import whole
tops = ("data", "label")
worker = Worker()
print(whole(Request("lmdb", sys.argv[1], "", tops, frozenset(tops), prints=True), worker)[0].read)
"""


class Cost(NamedTuple):
    """Seconds on the clock, seconds of CPU, and the greatest resident mebibytes of one process."""

    clock: float
    cpu: float
    memory: float


def write(folder: Path, mebibytes: int) -> int:
    """A database of about so many mebibytes; how many records it has."""
    import lmdb
    import numpy as np

    from nanlint.data.messages import message

    draw = np.random.default_rng(0)
    records = max(1, (mebibytes << 20) // int(np.prod(SHAPE)))
    with lmdb.open(str(folder), map_size=(mebibytes + 64) << 21) as opened:
        for start in range(0, records, 256):
            with opened.begin(write=True) as store:
                for index in range(start, min(records, start + 256)):
                    pixels = draw.integers(0, 256, SHAPE, dtype=np.uint8)
                    datum = message("Datum")(channels=3, height=256, width=256, data=pixels.tobytes(), label=index % 10)
                    store.put(b"%08d" % index, datum.SerializeToString())
    return records


def measure(code: str, path: Path) -> Cost:
    """What one run of a program costs with the processes that it starts."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, stdout=subprocess.DEVNULL, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - begun, cpu, after.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        records = write(path, asked.mebibytes)
        scans = [measure(SCAN, path) for _ in range(asked.rounds)]  # first: memory is the greatest so far
        loops = [measure(BARE, path) for _ in range(asked.rounds)]
    print(f"{records} records, {asked.mebibytes} MiB; {'':10}{'clock s':>9}{'CPU s':>9}{'MiB/s':>9}{'memory MiB':>12}")
    for name, costs in (("full scan", scans), ("bare loop", loops)):
        clock, cpu = min(one.clock for one in costs), min(one.cpu for one in costs)
        print(f"{name:36}{clock:9.2f}{cpu:9.2f}{asked.mebibytes / clock:9.0f}{max(c.memory for c in costs):12.0f}")


if __name__ == "__main__":
    main()
