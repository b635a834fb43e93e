"""What a page of `nanlint view` costs: CPU seconds beside those of a lint of the same file, and its size.

    python benchmarks/picture.py [--rounds N] [NET.prototxt ...]

Both run as fresh processes, turn by turn, and the best of each counts. Without files: the nets of the corpus that are
large, and a generated chain of 2,000 layers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from cost import CORPUS, PROJECT, REAL, _cpu, chain

LAYERS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("nets", nargs="*", type=Path)
    given = parser.parse_args()
    program = str(Path(sys.executable).with_name("nanlint"))
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder, f"chain-{LAYERS}.prototxt")
        generated.write_text("\n".join(chain(LAYERS)))
        print(f"{'net':32} {'lint s':>8} {'view s':>8} {'ratio':>6} {'KB':>6}")
        for net in given.nets or [*(CORPUS / name for name in REAL), generated]:
            page = Path(folder, "page.html")
            lint = [program, str(net), "--output-format", "json"]
            view = [program, "view", str(net), "-o", str(page)]
            costs = [(_cpu(lint, PROJECT), _cpu(view, PROJECT)) for _ in range(given.rounds)]
            linted, viewed = (min(cost[turn] for cost in costs) for turn in (0, 1))
            size = page.stat().st_size / 1000
            print(f"{net.name[:32]:32} {linted:8.2f} {viewed:8.2f} {viewed / linted:6.2f} {size:6.0f}")


if __name__ == "__main__":
    main()
