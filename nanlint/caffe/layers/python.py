"""Python: a layer written in Python; nanlint knows the tops of a few that many nets share."""

from __future__ import annotations

import re
from collections.abc import Callable

from nanlint.caffe.layers.base import Arity, Blobs, Dim, LayerSetup, LayerType, Param, Shape

REGION = 5
COLOURS = 3
ROI_TOPS = 6
BOX = 4


class Python(LayerType):
    """Any bottoms and tops; module and class must be named (layer_factory.cpp, GetPythonLayer).

    It may add blobs of its own: as many as it has `param` blocks, as far as the file tells.
    """

    bottoms = Arity()
    tops = Arity()

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.python_param
        for field, value in (("module", param.module), ("layer", param.layer)):
            if not value:
                raise layer.refuse(
                    "missing-field",
                    f"python_param.{field}",
                    f"`{layer.name}` names no `{field}`, and Caffe aborts because it cannot import it; write its name",
                )
        tops: list[Shape] = [None] * len(layer.top_names)
        known = WELL_KNOWN.get(param.layer)
        if known is not None and (layer.bottoms or param.layer in SOURCES):
            tops[: len(tops)] = (*known(layer), *tops)[: len(tops)]
        params = (Param(None),) * len(layer.param.param)
        return Blobs(
            tuple(layer.given.get(name, shape) for name, shape in zip(layer.top_names, tops, strict=True)), params
        )


def _anchor_targets(layer: LayerSetup) -> tuple[Shape, ...]:
    """Labels, box targets and their weights, for each anchor on each place of the scores (1 x 2A x H x W)."""
    shape = layer.bottoms[0].shape
    if shape is None or len(shape) != 4:
        return ()
    number, channels, height, width = shape
    anchors = None if channels is None else channels // 2
    boxes = (number, _times(anchors, BOX), height, width)
    return (number, 1, _times(anchors, height), width), boxes, boxes, boxes


def _proposals(layer: LayerSetup) -> tuple[Shape, ...]:
    """Regions, as many as are kept, and their scores."""
    return (None, REGION), (None, 1, 1, 1)


def _proposal_targets(layer: LayerSetup) -> tuple[Shape, ...]:
    """Regions, labels, box targets of each class and their weights."""
    boxes: Shape = (None, _numbers(layer))
    return (None, REGION), (None, 1), boxes, boxes, boxes


def _roi_data(layer: LayerSetup) -> tuple[Shape, ...]:
    """Images, regions, labels, box targets of each class and their weights, as Fast R-CNN's data layer makes
    them where it trains boxes.
    """
    if len(layer.top_names) != ROI_TOPS:
        return ()
    boxes: Shape = (None, _numbers(layer))
    return (None, COLOURS, None, None), (None, REGION), (None,), boxes, boxes, boxes


def _numbers(layer: LayerSetup) -> Dim:
    """How many numbers the boxes of all classes have."""
    written = re.search(r"num_classes\W+(\d+)", layer.param.python_param.param_str)
    return int(written[1]) * BOX if written else None


def _scalar(layer: LayerSetup) -> tuple[Shape, ...]:
    return ((1,),)


# py-faster-rcnn (lib/rpn) and the pycaffe example (examples/pycaffe/layers/pyloss.py), by class
WELL_KNOWN: dict[str, Callable[[LayerSetup], tuple[Shape, ...]]] = {
    "AnchorTargetLayer": _anchor_targets,
    "ProposalLayer": _proposals,
    "ProposalTargetLayer": _proposal_targets,
    "RoIDataLayer": _roi_data,
    "EuclideanLossLayer": _scalar,
}
SOURCES = ("RoIDataLayer",)


def _times(one: Dim, other: Dim) -> Dim:
    return None if one is None or other is None else one * other
