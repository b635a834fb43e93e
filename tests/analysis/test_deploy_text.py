"""The deploy net that is written of a training net."""

from __future__ import annotations

import pytest

from nanlint.analysis.deploy_text import CannotDeployError, deploy_net_text
from nanlint.caffe.options import Options
from nanlint.text.source import Source

DATA = """# pictures
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  include { phase: TRAIN }
  transform_param { crop_size: 8 mean_value: [104, 117, 123] scale: 0.5 }
  data_param { source: "train" batch_size: 32 backend: LMDB }
}
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  include { phase: TEST }
  transform_param { crop_size: 8 mean_value: [104, 117, 123] scale: 0.5 }
  data_param { source: "test" batch_size: 10 backend: LMDB }
}
"""
BODY = """# the only convolution
layer {
  name: "conv"
  type: "Convolution"
  bottom: "data"
  top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 } # small
}
layer {
  name: "bn"
  type: "BatchNorm"
  bottom: "conv"
  top: "conv"
  batch_norm_param { use_global_stats: false eps: 0.001 }
}
layer {
  name: "score"
  type: "InnerProduct"
  bottom: "conv"
  top: "score"
  inner_product_param { num_output: 5 }
}
"""
ENDS = """layer {
  name: "accuracy"
  type: "Accuracy"
  bottom: "score"
  bottom: "label"
  top: "accuracy"
  include { phase: TEST }
}
layer {
  name: "loss"
  type: "SoftmaxWithLoss"
  bottom: "score"
  bottom: "label"
  top: "loss"
}
"""


def deployed(text: str, batch: int = 1, **inputs: tuple[int, ...]) -> str:
    return deploy_net_text(Source("train.prototxt", text), Options(inputs=inputs), batch)


def test_a_classifier() -> None:
    assert deployed(DATA + BODY + ENDS, 2) == (
        """# as in training: pixels minus 104, 117, 123, times 0.5
layer {
  name: "data"
  type: "Input"
  top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } }
}
"""
        + BODY.replace(" use_global_stats: false", "")
        + """layer {
  name: "prob"
  type: "Softmax"
  bottom: "score"
  top: "prob"
}
"""
    )


def test_a_loss_that_is_there_in_training_alone() -> None:
    ends = ENDS.replace('type: "SoftmaxWithLoss"', 'type: "SoftmaxWithLoss"\n  include { phase: TRAIN }')
    assert deployed(DATA + BODY + ends) == deployed(DATA + BODY + ENDS)


def test_a_loss_that_only_helps_goes_with_its_branch() -> None:
    branch = BODY[BODY.index('layer {\n  name: "score"') :].replace('"score"', '"side"')
    help_loss = ENDS[ENDS.index('layer {\n  name: "loss"') :].replace('"loss"', '"help"').replace('"score"', '"side"')
    helping = branch + help_loss.replace("top:", "loss_weight: 0.3\n  top:")
    assert deployed(DATA + BODY + helping + ENDS) == deployed(DATA + BODY + ENDS)


def test_a_prediction_that_is_there_already_is_not_written_again() -> None:
    prob = 'layer { name: "p" type: "Softmax" bottom: "score" top: "p" }\n'
    text = deployed(DATA + BODY + prob + ENDS)
    assert text.count('"Softmax"') == 1
    assert prob in text


def test_a_regression_ends_with_what_its_loss_read() -> None:
    ends = ENDS[ENDS.index('layer {\n  name: "loss"') :].replace("SoftmaxWithLoss", "EuclideanLoss")
    text = deployed(DATA + BODY.replace("num_output: 5", "num_output: 1") + ends)
    assert text.rstrip().endswith("inner_product_param { num_output: 1 }\n}")


def test_what_works_on_labels_alone_goes() -> None:
    twice = 'layer { name: "twice" type: "Power" bottom: "label" top: "label" power_param { scale: 2 } }\n'
    assert "twice" not in deployed(DATA + BODY + twice + ENDS)


def test_the_size_of_an_input_that_the_files_leave_open() -> None:
    unknown = DATA.replace("crop_size: 8 ", "")
    with pytest.raises(CannotDeployError, match=r"--input data:1,3,HEIGHT,WIDTH"):
        deployed(unknown + BODY + ENDS)
    assert "dim: 1 dim: 3 dim: 9 dim: 7" in deployed(unknown + BODY + ENDS, data=(1, 3, 9, 7))


def test_a_net_in_the_old_format() -> None:
    old = 'layers { name: "d" type: DATA top: "d" top: "l" data_param { source: "mnist" batch_size: 2 } }\n'
    old += 'layers { name: "ip" type: INNER_PRODUCT bottom: "d" top: "ip" inner_product_param { num_output: 2 } }\n'
    old += 'layers { name: "loss" type: SOFTMAX_LOSS bottom: "ip" bottom: "l" }\n'
    assert "dim: 1 dim: 1 dim: 28 dim: 28" in deployed(old)


def test_a_net_that_cannot_be_built() -> None:
    with pytest.raises(CannotDeployError, match="cannot build"):
        deployed(DATA + BODY.replace("num_output: 4", "num_output: 0") + ENDS)


def test_a_net_without_weights() -> None:
    with pytest.raises(CannotDeployError, match="nothing to deploy"):
        deployed(DATA + 'layer { name: "twice" type: "Power" bottom: "data" top: "twice" }\n')
