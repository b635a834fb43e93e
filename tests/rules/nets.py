"""Nets written in a line or two, built as the TRAIN net of a file, for tests of single rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from nanlint.caffe.load import load_net, load_solver
from nanlint.caffe.model import Layer, Net, Solver
from nanlint.findings import Problem


def data(*sizes: int, name: str = "x", filler: str = 'type: "uniform" min: -1') -> str:
    """A DummyData layer with one top."""
    dims = " ".join(f"dim: {size}" for size in sizes)
    settings = f"dummy_data_param {{ shape {{ {dims} }} data_filler {{ {filler} }} }}"
    return f'layer {{ name: "{name}" type: "DummyData" top: "{name}" {settings} }}\n'


def layer(type_name: str, bottoms: str, top: str, settings: str = "") -> str:
    """A layer named like its top."""
    reads = " ".join(f'bottom: "{bottom}"' for bottom in bottoms.split())
    return f'layer {{ name: "{top}" type: "{type_name}" {reads} top: "{top}" {settings} }}\n'


def train_net(folder: Path, text: str) -> Net:
    path = folder / "net.prototxt"
    path.write_text(text)
    return load_net(str(path))[0]


def solver(folder: Path, text: str, settings: str = "solver_mode: CPU") -> Solver:
    (folder / "net.prototxt").write_text(text)
    path = folder / "solver.prototxt"
    path.write_text(f'net: "{folder / "net.prototxt"}" {settings}\n')
    return load_solver(str(path))


def last(net: Net) -> Layer:
    return net.layers[-1]


def layers_found(rule: Callable[[Net], Iterable[Problem]], net: Net, trained: bool = True) -> list[str]:
    """The layers at which a rule about nets finds something."""
    net.trained = trained
    return [problem.layer or "" for problem in rule(net)]
