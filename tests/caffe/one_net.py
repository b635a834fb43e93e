"""Nets built from a few words, for tests that say what a net is and what Caffe makes of it."""

from __future__ import annotations

from nanlint.caffe.model import TRAIN, Net
from nanlint.caffe.net import build
from nanlint.caffe.options import Options
from nanlint.caffe.state import state_in
from nanlint.caffe.upgrade import upgrade_net
from nanlint.schema.bind import bind
from nanlint.schema.dialect import Dialect
from nanlint.text.parser import parse
from nanlint.text.source import Source

PINNED = Options(Dialect.BVLC)


def net(text: str, phase: str = TRAIN, options: Options = PINNED) -> Net:
    """The net of a file in a phase. The text must be free of parse failures."""
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter", options.dialect)
    assert not bound.problems, bound.problems
    upgraded = upgrade_net(bound)
    return build(bound, upgraded, state_in(phase, upgraded.param.state), options)


def kinds(built: Net) -> list[str]:
    """The kinds of what is wrong, in order."""
    return [problem.kind for problem in built.problems]


def layer(type_name: str, bottoms: str = "", tops: str = "", settings: str = "", name: str = "") -> str:
    """A layer by its type, its bottoms and tops as words, and more fields. Its name is its first top."""
    named = name or (tops.split() or [type_name.lower()])[0]
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(
        f' top: "{t}"' for t in tops.split()
    )
    return f'layer {{ name: "{named}" type: "{type_name}"{blobs} {settings} }}\n'


def data(*shapes: str, tops: str = "x y") -> str:
    """An Input layer: `data("2 3", "2")` makes x of 2 x 3 and y of 2."""
    dims = "".join("shape {" + "".join(f" dim: {size}" for size in shape.split()) + " }" for shape in shapes)
    return layer("Input", "", tops, f"input_param {{ {dims} }}", "data")


def inner_product(bottom: str, top: str, outputs: int = 3, settings: str = "") -> str:
    return layer("InnerProduct", bottom, top, f"inner_product_param {{ num_output: {outputs} }} {settings}")


LOSS = layer("SoftmaxWithLoss", "h y", "loss")
"""A loss over `h` and the label `y`."""
