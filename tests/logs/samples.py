"""Small logs, as Caffe writes them."""

from __future__ import annotations

from nanlint.logs.model import Log
from nanlint.logs.reader import Reader

SOLVER = """\
base_lr: 0.01
display: 10
max_iter: 40
lr_policy: "fixed"
net: "net.prototxt"
"""
NET = """\
name: "small"
state {
  phase: TRAIN
}
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  transform_param {
    scale: 0.00390625
  }
  data_param {
    source: "db"
    batch_size: 8
  }
}
layer {
  name: "ip"
  type: "InnerProduct"
  bottom: "data"
  top: "ip"
  inner_product_param {
    num_output: 4
    weight_filler {
      type: "xavier"
    }
  }
}
layer {
  name: "loss"
  type: "SoftmaxWithLoss"
  bottom: "ip"
  bottom: "label"
  top: "loss"
}
"""


def glog(text: str, file: str = "solver.cpp:239", level: str = "I", thread: int = 7) -> str:
    return f"{level}0706 19:56:35.974567 {thread:5} {file}] {text}"


def begun(solver: str = SOLVER, net: str = NET) -> list[str]:
    """A log up to the first iteration."""
    return [
        glog("Use CPU.", "caffe.cpp:197"),
        glog("Initializing solver from parameters: ", "solver.cpp:45"),
        *solver.splitlines(),
        glog("Creating training net from net file: net.prototxt", "solver.cpp:102"),
        glog("Initializing net from parameters: ", "net.cpp:53"),
        *net.splitlines(),
        glog("Creating layer data", "layer_factory.hpp:77"),
        glog("Starting Optimization", "caffe.cpp:239"),
    ]


def shown(iteration: int, loss: object, rate: object = 0.01, output: object = None) -> list[str]:
    """The lines of a displayed iteration."""
    output = loss if output is None else output
    return [
        glog(f"Iteration {iteration} (3.91 iter/s, 25.5s/100 iters), loss = {loss}"),
        glog(f"    Train net output #0: loss = {output} (* 1 = {output} loss)", "solver.cpp:258"),
        glog(f"Iteration {iteration}, lr = {rate}", "sgd_solver.cpp:112"),
    ]


DONE = [glog("Optimization Done.", "solver.cpp:332"), glog("Optimization Done.", "caffe.cpp:250")]


def read(*lines: str) -> Log:
    reader = Reader("train.log")
    for line in lines:
        reader.feed(line)
    return reader.close()
