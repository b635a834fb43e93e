"""A solver with a net that only reads: the data layers of a training net, one Silence each, and no learning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from google.protobuf import text_format

from nanlint.data import asked

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net
    from nanlint.data.beside import Source

_OUTSIDE_PASS = 100
"""Iterations where it is not known how many records there are."""

_FILTERS = ("include", "exclude", "phase", "loss_weight", "propagate_down", "param", "blobs")
"""Fields that a layer of one phase which learns nothing does not need."""


class NoDataError(Exception):
    """The training net has no layer that reads data."""


def probe(net: Net, sources: tuple[Source, ...]) -> str:
    """A solver's prototxt that reads each record of a training net once and shows its blobs (`debug_info`).

    Paths stay as they are written: it is to be run from where the training is. Raises NoDataError.
    """
    layers = [layer for layer in net.layers if not layer.bottoms and asked.source_name(layer.param)]
    if not layers:
        raise NoDataError
    known = {source.layer: source.account.records for source in sources if source.net is net}
    passes = [-(-records // batch) for layer in layers if (records := known.get(layer)) and (batch := _batch(layer))]
    lines = [
        "# reads the data of the training net, learns nothing: caffe train --solver=THIS_FILE",
        "base_lr: 0  # nanlint: ignore[LR007] nothing is to be learnt",
        'lr_policy: "fixed"',
        f"max_iter: {max(passes, default=_OUTSIDE_PASS)}",
        "display: 1",
        "debug_info: true",
        "snapshot_after_train: false  # nanlint: ignore[SOL011] nothing is to be kept",
        "solver_mode: CPU",
        "train_net_param {",
        '  name: "probe"',
        *(f"  {line}" for layer in layers for line in _layer(layer)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _batch(layer: Layer) -> int:
    return asked.batch_size(layer.param)


def _layer(layer: Layer) -> Iterator[str]:
    """A data layer as it is, and what takes its tops."""
    param = type(layer.param)()
    param.CopyFrom(layer.param)
    for field in _FILTERS:
        param.ClearField(field)
    yield "layer {"
    yield from (f"  {line}" for line in text_format.MessageToString(param).splitlines())
    yield "}"
    silence = type(layer.param)(name=f"silence_{layer.name}", type="Silence", bottom=list(layer.param.top))
    yield "layer {"
    yield from (f"  {line}" for line in text_format.MessageToString(silence).splitlines())
    yield "}"
