"""V0 `layers { layer { type: "conv" kernelsize: 5 } }`, Caffe's first format (UpgradeV0Net)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.upgrade import OriginalLayer
from nanlint.caffe.upgrade_v1 import upgrade_layer
from nanlint.findings import Effect, Problem, Related, Severity
from nanlint.schema.descriptors import enum, message_class

if TYPE_CHECKING:
    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import NetParameter, V0LayerParameter, V1LayerParameter

_TYPES = {
    "accuracy": "ACCURACY",
    "bnll": "BNLL",
    "concat": "CONCAT",
    "conv": "CONVOLUTION",
    "data": "DATA",
    "dropout": "DROPOUT",
    "euclidean_loss": "EUCLIDEAN_LOSS",
    "flatten": "FLATTEN",
    "hdf5_data": "HDF5_DATA",
    "hdf5_output": "HDF5_OUTPUT",
    "im2col": "IM2COL",
    "images": "IMAGE_DATA",
    "infogain_loss": "INFOGAIN_LOSS",
    "innerproduct": "INNER_PRODUCT",
    "lrn": "LRN",
    "multinomial_logistic_loss": "MULTINOMIAL_LOGISTIC_LOSS",
    "pool": "POOLING",
    "relu": "RELU",
    "sigmoid": "SIGMOID",
    "softmax": "SOFTMAX",
    "softmax_loss": "SOFTMAX_LOSS",
    "split": "SPLIT",
    "tanh": "TANH",
    "window_data": "WINDOW_DATA",
}
_CONV, _POOL, _IP = "convolution_param", "pooling_param", "inner_product_param"
_DATA, _HDF5, _IMAGES, _WINDOW = "data_param", "hdf5_data_param", "image_data_param", "window_data_param"
# V0 field -> V0 type -> V1 field ("*": whatever the type)
_FIELDS: dict[str, dict[str, str]] = {
    "num_output": {"conv": f"{_CONV}.num_output", "innerproduct": f"{_IP}.num_output"},
    "biasterm": {"conv": f"{_CONV}.bias_term", "innerproduct": f"{_IP}.bias_term"},
    "weight_filler": {"conv": f"{_CONV}.weight_filler", "innerproduct": f"{_IP}.weight_filler"},
    "bias_filler": {"conv": f"{_CONV}.bias_filler", "innerproduct": f"{_IP}.bias_filler"},
    "pad": {"conv": f"{_CONV}.pad", "pool": f"{_POOL}.pad"},
    "kernelsize": {"conv": f"{_CONV}.kernel_size", "pool": f"{_POOL}.kernel_size"},
    "group": {"conv": f"{_CONV}.group"},
    "stride": {"conv": f"{_CONV}.stride", "pool": f"{_POOL}.stride"},
    "pool": {"pool": f"{_POOL}.pool"},
    "dropout_ratio": {"dropout": "dropout_param.dropout_ratio"},
    "local_size": {"lrn": "lrn_param.local_size"},
    "alpha": {"lrn": "lrn_param.alpha"},
    "beta": {"lrn": "lrn_param.beta"},
    "k": {"lrn": "lrn_param.k"},
    "source": {
        "data": f"{_DATA}.source",
        "hdf5_data": f"{_HDF5}.source",
        "images": f"{_IMAGES}.source",
        "window_data": f"{_WINDOW}.source",
        "infogain_loss": "infogain_loss_param.source",
    },
    "scale": {"*": "transform_param.scale"},
    "meanfile": {"*": "transform_param.mean_file"},
    "batchsize": {
        "data": f"{_DATA}.batch_size",
        "hdf5_data": f"{_HDF5}.batch_size",
        "images": f"{_IMAGES}.batch_size",
        "window_data": f"{_WINDOW}.batch_size",
    },
    "cropsize": {"*": "transform_param.crop_size"},
    "mirror": {"*": "transform_param.mirror"},
    "rand_skip": {"data": f"{_DATA}.rand_skip", "images": f"{_IMAGES}.rand_skip"},
    "shuffle_images": {"images": f"{_IMAGES}.shuffle"},
    "new_height": {"images": f"{_IMAGES}.new_height"},
    "new_width": {"images": f"{_IMAGES}.new_width"},
    "concat_dim": {"concat": "concat_param.concat_dim"},
    "det_fg_threshold": {"window_data": f"{_WINDOW}.fg_threshold"},
    "det_bg_threshold": {"window_data": f"{_WINDOW}.bg_threshold"},
    "det_fg_fraction": {"window_data": f"{_WINDOW}.fg_fraction"},
    "det_context_pad": {"window_data": f"{_WINDOW}.context_pad"},
    "det_crop_mode": {"window_data": f"{_WINDOW}.crop_mode"},
    "hdf5_output_param": {"hdf5_output": "hdf5_output_param"},
}
_REPEATED = {f"{_CONV}.pad", f"{_CONV}.kernel_size", f"{_CONV}.stride"}
_KEPT_OF_ENTRY = {"bottom", "top", "layer"}
_KEPT_OF_NET = {"name", "layers", "input", "input_dim", "force_backward"}


def rebuild(bound: Bound, written: NetParameter, net: NetParameter, problems: list[Problem]) -> list[OriginalLayer]:
    """The layers of a V0 net; `net` gets the few net-level fields that Caffe keeps, `problems` what goes
    wrong."""
    for field, _ in written.ListFields():
        if field.name not in _KEPT_OF_NET:
            problems.append(
                Problem(
                    bound.place(field.name if field.name in ("state", "debug_info") else f"{field.name}[0]"),
                    f"`{field.name}` is dropped: a net with old `layers {{ layer {{ }} }}` entries keeps "
                    "only `name`, `layers`, `input`, `input_dim` and `force_backward`; write the net in the "
                    "format of today",
                    "ignored-field",
                    severity=Severity.WARNING,
                    effect=Effect.NONE,
                )
            )
    net.name = written.name
    net.input.extend(written.input)
    net.input_dim.extend(written.input_dim)
    if written.HasField("force_backward"):
        net.force_backward = written.force_backward
    layers = []
    for index, entry in _without_padding(bound, written, problems):
        layers.append(_upgrade_entry(bound, f"layers[{index}]", entry, problems))
    return layers


def _upgrade_entry(bound: Bound, route: str, entry: V1LayerParameter, problems: list[Problem]) -> OriginalLayer:
    """One entry: bottoms, tops and the inner block; everything else of it is lost
    (UpgradeV0LayerParameter)."""
    upgraded: V1LayerParameter = message_class("V1LayerParameter")()  # type: ignore[assignment]
    upgraded.bottom.extend(entry.bottom)
    upgraded.top.extend(entry.top)
    for field, _ in entry.ListFields():
        if field.name not in _KEPT_OF_ENTRY:
            problems.append(
                _lost(bound, f"{route}.{field.name}", f"`{field.name}` beside the inner `layer {{ }}`", entry)
            )
    if not entry.HasField("layer"):
        return OriginalLayer.of(*upgrade_layer(bound, route, upgraded))
    written = entry.layer
    renames = [("name", "layer.name"), ("type", "layer.type")]
    if written.HasField("name"):
        upgraded.name = written.name
    if written.HasField("type"):
        _set_type(bound, route, upgraded, written, problems)
    for repeated in ("blobs", "blobs_lr", "weight_decay"):
        getattr(upgraded, repeated).extend(getattr(written, repeated))
        renames.append((repeated, f"layer.{repeated}"))
    for field, value in written.ListFields():
        targets = _FIELDS.get(field.name)
        if targets is None:
            continue
        target = targets.get(written.type) or targets.get("*")
        if target is None:
            what = f'`{field.name}` in a layer of `type: "{written.type}"`'
            problems.append(_lost(bound, f"{route}.layer.{field.name}", what, entry))
            continue
        _set(upgraded, target, value)
        renames.append((f"{target}[0]" if target in _REPEATED else target, f"layer.{field.name}"))
    renames.extend((param, "layer") for param in dict.fromkeys(new.split(".")[0] for new, _ in renames[5:]))
    return OriginalLayer.of(*upgrade_layer(bound, route, upgraded, tuple(renames)))


def _set(layer: V1LayerParameter, target: str, value: object) -> None:
    """Put a value at a route; where V0 has an enum or message of its own, the numbers agree."""
    *path, last = target.split(".")
    holder = layer
    for part in path:
        holder = getattr(holder, part)
    if target in _REPEATED:
        getattr(holder, last).append(value)
    elif hasattr(value, "DESCRIPTOR"):
        getattr(holder, last).CopyFrom(value)
    else:
        setattr(holder, last, value)


def _set_type(
    bound: Bound, route: str, layer: V1LayerParameter, written: V0LayerParameter, problems: list[Problem]
) -> None:
    name = _TYPES.get(written.type)
    if name is not None:
        layer.type = enum("V1LayerParameter.LayerType").values_by_name[name].number  # type: ignore[assignment]
        return
    problems.append(
        Problem(
            bound.place(f"{route}.layer.type"),
            f'`type: "{written.type}"` of `{written.name}` is no type of the oldest format, and Caffe '
            f"aborts as it upgrades the net; write one of {', '.join(sorted(_TYPES))}, or the layer in the format of "
            "today",
            "unknown-layer-type",
            layer=written.name,
            effect=Effect.SETUP_FAILURE,
        )
    )


def _lost(bound: Bound, route: str, what: str, entry: V1LayerParameter) -> Problem:
    return Problem(
        bound.place(route),
        f"{what} is lost when Caffe upgrades `{entry.layer.name}` from the oldest format; "
        "write the layer in the format of today",
        "ignored-field",
        layer=entry.layer.name,
        severity=Severity.WARNING,
        effect=Effect.NONE,
    )


def _without_padding(
    bound: Bound, written: NetParameter, problems: list[Problem]
) -> list[tuple[int, V1LayerParameter]]:
    """The entries without padding layers, whose pad goes to the conv or pool that reads them
    (UpgradeV0PaddingLayers)."""
    sources: dict[str, int | None] = dict.fromkeys(written.input)
    kept: list[tuple[int, V1LayerParameter]] = []
    for index, entry in enumerate(written.layers):
        is_padding = entry.layer.type == "padding"
        folded: V1LayerParameter = message_class("V1LayerParameter")()  # type: ignore[assignment]
        folded.CopyFrom(entry)
        for at, bottom in enumerate(entry.bottom):
            if is_padding and bottom not in sources:
                problems.append(_unknown_bottom(bound, index, at, entry))
            source = sources.get(bottom)
            if source is None or written.layers[source].layer.type != "padding":
                continue
            padding = written.layers[source]
            reason = _bad_padding(entry, padding)
            if reason:
                problems.append(_refused_padding(bound, index, entry, source, padding, reason))
            else:
                folded.layer.pad = padding.layer.pad
            if padding.bottom:
                folded.bottom[at] = padding.bottom[0]
        if not is_padding:
            kept.append((index, folded))
        sources.update(dict.fromkeys(entry.top, index))
    return kept


def _bad_padding(reader: V1LayerParameter, padding: V1LayerParameter) -> str | None:
    if reader.layer.type not in ("conv", "pool"):
        kind = f'`{reader.layer.name}` is of `type: "{reader.layer.type}"`'
        return f"only a conv or pool layer may read it, and {kind}"
    if len(reader.bottom) != 1:
        return f"its reader `{reader.layer.name}` must have one bottom and has {len(reader.bottom)}"
    if len(padding.bottom) != 1:
        return f"it must have one bottom and has {len(padding.bottom)}"
    if len(padding.top) != 1:
        return f"it must have one top and has {len(padding.top)}"
    return None


def _refused_padding(
    bound: Bound, index: int, entry: V1LayerParameter, source: int, padding: V1LayerParameter, reason: str
) -> Problem:
    return Problem(
        bound.place(f"layers[{index}].bottom"),
        f"padding layer `{padding.layer.name}` cannot be folded into its reader, and Caffe aborts: {reason}; "
        "write `pad` in the convolution itself",
        "invalid-padding-layer",
        related=(Related("the padding layer", bound.place(f"layers[{source}]")),),
        layer=entry.layer.name,
        effect=Effect.SETUP_FAILURE,
    )


def _unknown_bottom(bound: Bound, index: int, bottom_index: int, entry: V1LayerParameter) -> Problem:
    return Problem(
        bound.place(f"layers[{index}].bottom[{bottom_index}]"),
        f"padding layer `{entry.layer.name}` reads `{entry.bottom[bottom_index]}`, which no earlier layer "
        "makes; Caffe aborts",
        "unknown-bottom",
        layer=entry.layer.name,
        effect=Effect.SETUP_FAILURE,
    )
