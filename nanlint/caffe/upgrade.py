"""Old formats made new, as Caffe does when it reads a net file (util/upgrade_proto.cpp).

Every upgraded field keeps the place where its author wrote it. A message without old fields is used as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from nanlint.caffe.model import Origin
from nanlint.findings import Effect, Problem, Related
from nanlint.schema.descriptors import new_layer, new_net

if TYPE_CHECKING:
    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import (
        LayerParameter,
        NetParameter,
        ParamSpec,
    )


class OriginalLayer(NamedTuple):
    """A layer in the format of today, where it was written, and its lists, read once for all phases."""

    param: LayerParameter
    origin: Origin
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    loss_weights: tuple[float, ...]
    has_rules: bool

    @classmethod
    def of(cls, param: LayerParameter, origin: Origin) -> OriginalLayer:
        has_rules = bool(param.include or param.exclude)
        return cls(param, origin, tuple(param.bottom), tuple(param.top), tuple(param.loss_weight), has_rules)


class UpgradedNet(NamedTuple):
    """A net in the format of today, and each of its layers with its place."""

    param: NetParameter
    layers: list[OriginalLayer]
    problems: list[Problem]


def upgrade_net(bound: Bound) -> UpgradedNet:
    """The net of a file as UpgradeNetAsNeeded leaves it; problems in the order in which Caffe meets them."""
    written = cast("NetParameter", bound.message)
    problems: list[Problem] = []
    if not written.layers and not written.input and not any(map(_is_old_batch_norm, written.layer)):
        return UpgradedNet(written, current_layers(bound, written), problems)
    upgraded = new_net()
    layers: list[OriginalLayer]
    if any(entry.HasField("layer") for entry in written.layers):
        from nanlint.caffe.upgrade_v0 import rebuild

        layers = rebuild(bound, written, upgraded, problems)
    else:
        upgraded.CopyFrom(written)
        layers = _v1_and_v2(bound, written, problems)
    layers = [*_input_layer(bound, upgraded, problems), *layers]
    for obsolete in ("layers", "layer", "input", "input_shape", "input_dim"):
        upgraded.ClearField(obsolete)
    upgraded.layer.extend(layer.param for layer in layers)
    for added in filter(_is_old_batch_norm, upgraded.layer):
        _freeze(added.param)
    moved = zip(upgraded.layer, layers, strict=True)
    return UpgradedNet(upgraded, [layer._replace(param=param) for param, layer in moved], problems)


def current_layers(bound: Bound, net: NetParameter, route: str = "") -> list[OriginalLayer]:
    """The layers of a net in the format of today; `route` leads to the net."""
    prefix = f"{route}.layer" if route else "layer"
    return [
        OriginalLayer.of(param, Origin(bound, f"{prefix}[{index}]")) for index, param in enumerate(net.layer)
    ]


def _v1_and_v2(bound: Bound, written: NetParameter, problems: list[Problem]) -> list[OriginalLayer]:
    """The layers of a net with V1 entries, or none; a mixture is fatal (UpgradeV1Net) and read in the order
    written."""
    from nanlint.caffe.upgrade_v1 import upgrade_layer

    old = [
        OriginalLayer.of(*upgrade_layer(bound, f"layers[{index}]", entry))
        for index, entry in enumerate(written.layers)
    ]
    new = current_layers(bound, written)
    if old and new:
        problems.append(
            Problem(
                new[0].origin.place(),
                "the net has both `layer` and the old `layers`, and Caffe refuses such a mixture; "
                'write every layer as `layer { type: "..." }`',
                "conflicting-fields",
                related=(Related("the first of the old `layers`", old[0].origin.place()),),
                effect=Effect.SETUP_FAILURE,
            )
        )
        return sorted([*old, *new], key=lambda layer: layer.origin.place().span)
    return old or new


def _input_layer(bound: Bound, net: NetParameter, problems: list[Problem]) -> list[OriginalLayer]:
    """The Input layer made of net-level inputs; none if they have no shape (UpgradeNetInput)."""
    if not net.input or not (net.input_shape or net.input_dim):
        return []
    layer = new_layer()
    layer.name, layer.type = "input", "Input"
    renames = [("name", "input[0]"), ("type", "input[0]"), ("", "input[0]")]
    for index, name in enumerate(net.input):
        layer.top.append(name)
        renames.append((f"top[{index}]", f"input[{index}]"))
        shape = layer.input_param.shape.add()
        if net.input_shape:
            if index < len(net.input_shape):
                shape.CopyFrom(net.input_shape[index])
                renames.append((f"input_param.shape[{index}]", f"input_shape[{index}]"))
            else:
                problems.append(
                    _short_input(bound, index, name, f"{len(net.input_shape)} `input_shape`", "crashes")
                )
        else:
            dims = net.input_dim[4 * index : 4 * index + 4]
            shape.dim.extend(dims)
            renames.extend(
                (f"input_param.shape[{index}].dim[{axis}]", f"input_dim[{4 * index + axis}]")
                for axis in range(len(dims))
            )
            renames.append((f"input_param.shape[{index}]", f"input_dim[{4 * index}]"))
            if len(dims) < 4:
                problems.append(
                    _short_input(
                        bound,
                        index,
                        name,
                        f"{len(net.input_dim)} `input_dim`",
                        "reads past the end of the list",
                    )
                )
    return [OriginalLayer.of(layer, Origin(bound, "", tuple(renames)))]


def _short_input(bound: Bound, index: int, name: str, given: str, does: str) -> Problem:
    return Problem(
        bound.place(f"input[{index}]"),
        f"input `{name}` has no shape: the net gives only {given} for {index + 1} inputs or more, and Caffe "
        f"{does}; write one `input_shape` for each input",
        "missing-input-shape",
        effect=Effect.MEMORY_ERROR,
    )


def _is_old_batch_norm(layer: LayerParameter) -> bool:
    return layer.type == "BatchNorm" and len(layer.param) == 3


def _freeze(specs: Sequence[ParamSpec]) -> None:
    for spec in specs:
        spec.lr_mult = spec.decay_mult = 0.0
