"""Small solvers with nets, written to a folder and loaded as the command line loads them."""

from __future__ import annotations

from pathlib import Path

from nanlint.caffe.load import load_solver
from nanlint.caffe.model import Net, Solver

SGD = 'base_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 100\n'


def solver(folder: Path, net: str, settings: str = SGD) -> Solver:
    """The solver with these settings over this net."""
    (folder / "net.prototxt").write_text(net)
    (folder / "solver.prototxt").write_text(f'net: "net.prototxt"\n{settings}')
    return load_solver(str(folder / "solver.prototxt"))


def net(folder: Path, text: str) -> Net:
    """The training net of a text."""
    built = solver(folder, text).train_net
    assert built is not None
    return built


def dummy(data: str, target: str, shape: tuple[int, ...] = (8, 16), outputs: str = "dim: 8 dim: 4") -> str:
    """A DummyData layer with tops `data` and `target`, each by its filler."""
    sizes = " ".join(f"dim: {size}" for size in shape)
    return f"""
    layer {{ name: "data" type: "DummyData" top: "data" top: "target" dummy_data_param {{
      data_filler {{ {data} }} data_filler {{ {target} }}
      shape {{ {sizes} }} shape {{ {outputs} }} }} }}
    """


def inner_product(name: str, bottom: str, outputs: int, filler: str) -> str:
    return f"""
    layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}"
      inner_product_param {{ num_output: {outputs} weight_filler {{ {filler} }} }} }}
    """


def relu(name: str, blob: str) -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{blob}" top: "{blob}" }}\n'


def loss(prediction: str, kind: str = "EuclideanLoss", more: str = "") -> str:
    bottoms = f'bottom: "{prediction}" bottom: "target"'
    return f'layer {{ name: "loss" type: "{kind}" {bottoms} top: "loss" {more} }}\n'
