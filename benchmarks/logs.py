"""What reading a training log costs, beside Caffe's own tools/extra/parse_log.py.

    python benchmarks/logs.py [--caffe DIR] [--megabytes N ...] [--rounds N]

DIR is a checkout of Caffe; without it nanlint is measured alone. Both read the same made log as fresh processes,
turn by turn, and the best of each counts: CPU time of user and system. parse_log.py is run from a copy whose one
Python 2 statement is repaired. Prints a table, with the most memory that nanlint took.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

SOLVER = 'base_lr: 0.01\ndisplay: 1\nmax_iter: 1000000\nlr_policy: "fixed"\nnet: "net.prototxt"\n'
STAMP = "I0706 19:56:%02d.974567 10017 "
HEAD = (
    f"{STAMP % 0}caffe.cpp:197] Use CPU.\n{STAMP % 0}solver.cpp:45] Initializing solver from parameters: \n{SOLVER}"
    f"{STAMP % 0}caffe.cpp:239] Starting Optimization\n{STAMP % 0}solver.cpp:289] Solving net\n"
)


def made(size: int) -> Iterator[str]:
    """A log of a long run that shows each iteration, of about so many bytes."""
    yield HEAD
    written = iteration = 0
    while written < size:
        stamp, loss = STAMP % (iteration % 60), 2.3 / (1 + iteration / 1000)
        text = (
            f"{stamp}solver.cpp:239] Iteration {iteration} (3.91 iter/s, 25.5s/100 iters), loss = {loss:.6g}\n"
            f"{stamp}solver.cpp:258]     Train net output #0: loss = {loss:.6g} (* 1 = {loss:.6g} loss)\n"
            f"{stamp}sgd_solver.cpp:112] Iteration {iteration}, lr = 0.01\n"
        )
        if iteration % 100 == 0:
            text += (
                f"{stamp}solver.cpp:347] Iteration {iteration}, Testing net (#0)\n"
                f"{stamp}solver.cpp:414]     Test net output #0: accuracy = 0.5\n"
            )
        written += len(text)
        iteration += 1
        yield text


def repaired(caffe: Path, folder: Path) -> list[str]:
    """The command that runs a copy of parse_log.py under this Python."""
    tools = caffe / "tools" / "extra"
    for name in ("parse_log.py", "extract_seconds.py"):
        source = (tools / name).read_text()
        (folder / name).write_text(source.replace("print 'Wrote %s' % output_filename", "pass"))
    return [sys.executable, str(folder / "parse_log.py")]


def cost(command: Sequence[str]) -> tuple[float, float]:
    """Seconds of CPU, and the most memory in MiB; of all children so far for the memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, after.ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--caffe", type=Path)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[4, 100])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    print(f"{'MB':>6}{'nanlint s':>12}{'MiB':>8}{'parse_log s':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "train.log"
        for size in given.megabytes:
            with log.open("w") as file:
                file.writelines(made(int(size * 1e6)))
            ours = [sys.executable, "-m", "nanlint", "log", str(log), "--output-format", "json"]
            theirs = [*repaired(given.caffe, folder), str(log), name] if given.caffe else None
            mine, other, memory = [], [], 0.0
            for _ in range(given.rounds):
                seconds, most = cost(ours)
                mine.append(seconds)
                memory = memory or most
                if theirs:
                    other.append(cost(theirs)[0])
            compared = f"{min(other):>14.2f}{min(mine) / min(other):>8.2f}" if other else ""
            print(f"{size:>6g}{min(mine):>12.2f}{memory:>8.0f}{compared}", flush=True)


if __name__ == "__main__":
    main()
