"""What linting costs, beside a process that only parses the same file with protobuf.

    python benchmarks/cost.py [--rounds N] [NET.prototxt ...]

Both run as fresh processes, turn by turn, and the best of each counts: CPU time of user and system. Bytecode
is compiled beforehand, as an installed package's is. Without files, nets are generated: chains of convolutions
that show the time against the size. Prints a table.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("NANLINT_SHARED", PROJECT.parent / "shared")) / "corpus"
REAL = (
    "KaimingHe+deep-residual-networks/prototxt/ResNet-152-deploy.prototxt",
    "hujie-frank+SENet/models/SENet-154.prototxt",
)
GENERATED = (10, 100, 1_000, 10_000)

PARSE_ONLY = """
import sys
from google.protobuf import text_format
import caffe_pb2
text_format.Parse(open(sys.argv[1]).read(), caffe_pb2.NetParameter())
"""


class Cost(NamedTuple):
    """Seconds of CPU."""

    parse: float
    lint: float


def measure(net: Path, schema: Path, rounds: int) -> Cost:
    """The least that each needs, run in turns."""
    parse = [sys.executable, "-c", PARSE_ONLY, str(net)]
    lint = [str(Path(sys.executable).with_name("nanlint")), str(net), "--output-format", "json"]
    costs = [Cost(_cpu(parse, schema), _cpu(lint, PROJECT)) for _ in range(rounds)]
    return Cost(min(cost.parse for cost in costs), min(cost.lint for cost in costs))


def chain(layers: int) -> Iterator[str]:
    """A net of convolutions and rectifiers on an image that keeps its size."""
    yield 'name: "chain" input: "data" input_shape { dim: 1 dim: 3 dim: 32 dim: 32 }'
    for index in range(layers // 2):
        bottom = f"conv{index - 1}" if index else "data"
        yield f"""
layer {{
  name: "conv{index}"
  type: "Convolution"
  bottom: "{bottom}"
  top: "conv{index}"
  convolution_param {{
    num_output: 3
    kernel_size: 3
    pad: 1
    weight_filler {{ type: "msra" }}
  }}
}}
layer {{ name: "relu{index}" type: "ReLU" bottom: "conv{index}" top: "conv{index}" }}"""


def compile_schema(folder: Path) -> None:
    """The module that a pycaffe would import, from the same schema."""
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROJECT / 'proto'}", f"--python_out={folder}"]
    subprocess.run([*command, "caffe.proto"], check=True)
    compileall.compile_dir(folder, quiet=1)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("nets", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args(arguments)
    compileall.compile_dir(PROJECT / "nanlint", quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        compile_schema(Path(folder))
        nets = list(given.nets)
        if not nets:
            for layers in GENERATED:
                nets.append(Path(folder) / f"chain-{layers}.prototxt")
                nets[-1].write_text("\n".join(chain(layers)))
            nets += [CORPUS / net for net in REAL if (CORPUS / net).is_file()]
        _print(nets, Path(folder), given.rounds)


def _print(nets: Sequence[Path], schema: Path, rounds: int) -> None:
    print(f"{'net':36}{'kB':>8}{'parse ms':>10}{'lint ms':>10}{'ratio':>8}{'us a byte':>12}")
    for net in nets:
        cost = measure(net, schema, rounds)
        size = net.stat().st_size
        print(
            f"{net.name[:35]:36}{size / 1e3:>8.1f}{cost.parse * 1e3:>10.0f}{cost.lint * 1e3:>10.0f}"
            f"{cost.lint / cost.parse:>8.2f}{cost.lint / size * 1e6:>12.2f}",
            flush=True,
        )


def _cpu(command: Sequence[str], path: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
