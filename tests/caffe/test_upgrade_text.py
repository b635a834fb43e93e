"""Old formats written in today's: what is edited, and that the meaning, the comments and the order stay."""

from __future__ import annotations

import pytest

from nanlint.caffe.upgrade import upgrade_net
from nanlint.caffe.upgrade_text import CannotUpgradeError, upgraded_net_text, upgraded_solver_text
from nanlint.schema.bind import bind
from nanlint.text.parser import parse
from nanlint.text.source import Source

V1 = """name: "net"  # the net
layers {
  name: "data"
  type: DATA
  top: "data"
  top: "label"
  data_param {
    source: "lmdb"  # made by hand
    batch_size: 8
    scale: 0.5
    mirror: true
  }
}
# the first convolution
layers {
  name: "conv" type: CONVOLUTION bottom: "data" top: "conv"
  blobs_lr: 1
  blobs_lr: 2  # the bias is faster
  weight_decay: 1
  weight_decay: 0
  param: "w"
  convolution_param { num_output: 4 kernel_size: 3 }
}
"""


def upgraded(text: str) -> str:
    return upgraded_net_text(Source("net.prototxt", text))


def meaning(text: str) -> object:
    """The net as Caffe has it once it is upgraded; the oldest format gives it an empty name."""
    net = upgrade_net(bind(parse(Source("net.prototxt", text)), "NetParameter")).param
    net.name = net.name or "-"
    return net


@pytest.mark.parametrize(
    "text",
    [
        V1,
        V1.replace("\n", "\r\n"),
        V1.replace("data_param", "transform_param { crop_size: 2 scale: 3 }\n  data_param"),
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4\n',
        'input: "a"\ninput_shape { dim: 1 # one\n }\ninput: "b"\ninput_shape { dim: 2 }\n',
        'layers { name: "c" type: CONVOLUTION blobs_lr: [1, 2], param: "w", bottom: "d" top: "c" }\n',
        'layers { layer { name: "c" type: "conv" num_output: 4 kernelsize: 3 # odd\n } bottom: "x" top: "c" }\n'
        'input: "x" input_dim: 1 input_dim: 1 input_dim: 4 input_dim: 4 name: "v0"\n',
        'layers { layer { name: "p" type: "padding" pad: 2 } bottom: "x" top: "p" }\n'
        'layers { layer { name: "c" type: "conv" num_output: 4 kernelsize: 3 } bottom: "p" top: "c" }\n'
        'input: "x" input_dim: 1 input_dim: 1 input_dim: 4 input_dim: 4\n',
    ],
)  # fmt: skip
def test_the_meaning_stays_and_a_second_time_changes_nothing(text: str) -> None:
    once = upgraded(text)
    assert once != text
    assert meaning(once) == meaning(text)
    assert upgraded(once) == once
    assert "layers" not in once
    assert once.count("#") == text.count("#")


def test_a_layer_is_edited_where_it_stands() -> None:
    assert upgraded(V1) == """name: "net"  # the net
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  data_param {
    source: "lmdb"  # made by hand
    batch_size: 8
  }
  transform_param { scale: 0.5 mirror: true }
}
# the first convolution
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  param { name: "w" lr_mult: 1 decay_mult: 1 }
  param { lr_mult: 2 decay_mult: 0 }
  # the bias is faster
  convolution_param { num_output: 4 kernel_size: 3 }
}
"""


def test_a_net_of_today_stays_as_it_is() -> None:
    text = 'layer  {name:"x" type:"Split" } # odd\n'
    assert upgraded(text) == text


def test_fields_that_are_there_for_old_files() -> None:
    text = (
        'layer { type: "Concat" concat_param { concat_dim: 2 } }\n'
        'layer { type: "SoftmaxWithLoss" loss_param { normalize: false } }\n'
    )
    assert upgraded(text) == text.replace("concat_dim", "axis").replace("normalize: false", "normalization: BATCH_SIZE")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('layers { type: "Convolution" }', "line 1"),
        ("layers { type: RELU }\nlayer { }", "mixture"),
        ("layers { ", "line 1"),
        ('layers { layer { type: "relu6" } }', "no type of the oldest format"),
    ],
)
def test_what_caffe_cannot_read(text: str, words: str) -> None:
    with pytest.raises(CannotUpgradeError, match=words):
        upgraded(text)


def test_the_type_of_a_solver() -> None:
    solver = Source("solver.prototxt", "solver_type: ADAM # x\nmax_iter: 1\n")
    assert upgraded_solver_text(solver) == 'type: "Adam" # x\nmax_iter: 1\n'
