"""The weights that a run starts from, and those that its test nets take over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import TEST, count, same_shape
from nanlint.data.records import Weights
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.caffemodel import SavedBlob, SavedLayer
    from nanlint.caffe.model import Layer, Net, Solver
    from nanlint.data.beside import Beside, Source
    from nanlint.data.records import Figures

_OWN_STATISTICS = "BatchNorm"
_FACTOR, _VARIANCE = 2, 1


@rule("SOL013", "empty-weights-name", ERROR, effect=Effect.SETUP_FAILURE)
def empty_weights_name(solver: Solver) -> Iterator[Problem]:
    """`weights` holds an empty file name.

    **In Caffe** `weights` is split at its commas and blanks around each name are dropped (solver.cpp,
    LoadNetWeights); an empty name is opened like any other, and fails.

    **Instead** remove the comma that is too many.
    """
    for index, names in enumerate(solver.param.weights):
        if any(not name.strip() for name in names.split(",")):
            yield finding(
                solver.at(f"weights[{index}]"),
                f'`weights: "{names}"` holds an empty file name, which Caffe cannot open; remove the comma too many',
            )


@rule("DAT907", "weights-unreadable", ERROR, effect=Effect.SETUP_FAILURE)
def weights_unreadable(beside: Beside) -> Iterator[Problem]:
    """A file named in `weights` is none that Caffe can read.

    **In Caffe** a file that is not HDF5 is read as a binary NetParameter (net.cpp, CopyTrainedLayersFrom;
    io.cpp, ReadProtoFromBinaryFile): a text net, a file cut short, a Git LFS pointer or a folder aborts. Several names
    are separated by commas alone.

    **Instead** name a `.caffemodel` that `caffe train` wrote; fetch what LFS left as a pointer with `git lfs pull`.
    """
    for source in _weights(beside):
        fault = source.account.fault("unreadable", "damaged", "too-large", "killed", "refused")
        if source.account.state == "absent":
            yield _absent(source, beside)
        elif fault is not None:
            remedy = "`git lfs pull` fetches it" if "LFS" in fault.words else "name a `.caffemodel`"
            yield finding(
                source.at(),
                f"`{source.name}` is no binary NetParameter ({fault.words}), and Caffe aborts on reading it; {remedy}",
                severity=None if fault.kind == "unreadable" else WARNING,
            )


def _absent(source: Source, beside: Beside) -> Problem:
    apart = source.name.split()
    by_blanks = len(apart) > 1 and all(beside.finds(part) for part in apart)
    return finding(
        source.at(),
        f"`{source.name}` is read as one file name, since `weights` is split at commas alone; write a comma"
        if by_blanks
        else f"the weights file `{source.name}` is not on this machine; Caffe aborts where it is missing",
        severity=None if by_blanks else INFO,
    )


@rule("DAT908", "weights-not-a-model", WARNING, effect=Effect.NONE)
def weights_not_a_model(beside: Beside) -> Iterator[Problem]:
    """A web page, or a text, stands in place of weights, and Caffe takes it for an empty net.

    **In Caffe** parsing stops at a byte that ends a group which nobody began, with success
    (coded_stream.h, ParseFromCodedStream): `<` of an HTML page is such a byte. An empty net is loaded, and training
    starts from the fillers without a word.

    **Instead** download the file again; a link to a page that shows the file is not the file.
    """
    for source in _weights(beside):
        content = source.account.content
        if isinstance(content, Weights) and not content.layers:
            what = "a web page" if content.web_page else "no weights at all"
            yield finding(
                source.at(),
                f"`{source.name}` is {what}, which Caffe takes for a net without layers: training starts from the "
                "fillers; "
                "download the file again",
            )


@rule("DAT902", "weights-shape", ERROR, effect=Effect.SETUP_FAILURE)
def weights_shape(beside: Beside) -> Iterator[Problem]:
    """A layer of a weights file has the name of a layer of the net, and blobs of another shape.

    **In Caffe** saved layers are matched by name, the first of that name, whatever their type (net.cpp,
    CopyTrainedLayersFrom): each shape must be equal. `Cannot copy param 0 weights from layer ...; shape mismatch`.

    **Instead** rename the layer in the net where it has other classes, so that it starts from its fillers. As many
    numbers in another shape (fc6 as a convolution) are kept by net surgery: load the old net, copy `.data.flat`.
    """
    for source, net, layer, saved in _pairs(beside):
        for learned, blob in zip(layer.params, saved.blobs, strict=False):
            shape = learned.param.shape
            if blob is None or shape is None or len(layer.params) != len(saved.blobs) or net.refused:
                continue
            wrong = _misshaped(blob, shape)
            if wrong:
                yield finding(
                    layer.at("name"),
                    f"`{source.name}` holds a layer `{layer.name}` whose blob {learned.index} {wrong}, and Caffe "
                    "aborts on "
                    f"loading it; {_reshape_remedy(blob, shape, layer)}",
                    layer=layer.name,
                    phase=net.phase,
                    related=_named(source),
                )
                break


def _misshaped(blob: SavedBlob, shape: tuple[int | None, ...]) -> str | None:
    if same_shape(blob.shape_of(len(shape)), shape) is False:
        return f"has the shape {_spelt(blob.shape)}, not {_spelt(shape)}"
    expected = count(shape)
    return f"has {blob.count} numbers for the shape {_spelt(shape)}" if expected not in (None, blob.count) else None


def _reshape_remedy(blob: SavedBlob, shape: tuple[int | None, ...], layer: Layer) -> str:
    saved = blob.shape_of(len(shape))
    if count(shape) == blob.count and len(saved) != len(shape):
        return "they are as many numbers: reshape them by net surgery (`net.params`), or rename the layer"
    if len(saved) == len(shape) and saved[1:] == shape[1:] and saved[:1] != shape[:1]:
        return (
            f"it has {saved[0]} outputs there and {shape[0]} here: rename the layer in the net, so that it starts from "
            "its "
            "fillers"
        )
    return "rename the layer to start it from its fillers"


@rule("DAT906", "weights-blob-count", ERROR, effect=Effect.SETUP_FAILURE)
def weights_blob_count(beside: Beside) -> Iterator[Problem]:
    """A layer of a weights file has the name of a layer of the net, and another number of blobs.

    **In Caffe** `Incompatible number of blobs for layer` (net.cpp, CopyTrainedLayersFrom). A bias is a blob: where
    BatchNorm was merged into a convolution, that has one which it had not before.

    **Instead** write `bias_term` as the weights have it, or take the net that belongs to them.
    """
    for source, net, layer, saved in _pairs(beside):
        blobs = len(saved.blobs)
        missing = saved.absent and all(
            learned.owner is not None
            for index, learned in enumerate(layer.params)
            if index >= blobs or saved.blobs[index] is None
        )
        if len(layer.params) == blobs or missing or net.refused:
            continue
        yield finding(
            layer.at(_where(layer, saved)),
            f"`{source.name}` holds a layer `{layer.name}` of {counted(blobs, 'blob')}, and the net wants "
            f"{len(layer.params)}: Caffe aborts on loading it; {_count_remedy(layer, saved, source)}",
            layer=layer.name,
            phase=net.phase,
            related=_named(source),
        )


def _count_remedy(layer: Layer, saved: SavedLayer, source: Source) -> str:
    own, given = len(layer.params), len(saved.blobs)
    if layer.facts.multiplies and {own, given} == {1, 2}:
        content = source.account.content
        normalised = isinstance(content, Weights) and any(len(one.blobs) == 3 for one in content.layers)
        if own == 2:
            net = "the net has the bias of a merged BatchNorm: take the net with BatchNorm, or " if normalised else ""
            return f"{net}write `bias_term: false`, or rename the layer"
        return "the weights have a bias: leave out `bias_term: false`, or take the net that belongs to them"
    return "take the net that belongs to them, or rename the layer"


@rule("DAT903", "weights-nothing-in-common", WARNING, effect=Effect.NONE)
def weights_nothing_in_common(beside: Beside) -> Iterator[Problem]:
    """No layer of a weights file has the name of a layer of the net, so nothing is loaded.

    **In Caffe** saved layers that the net does not have are passed over (net.cpp, CopyTrainedLayersFrom). Training
    starts from the fillers, and nothing says so.

    **Instead** name the weights of this net, or give the layers that shall be loaded the names of the saved ones.
    """
    nets = [net for net in beside.nets if not net.refused]
    names = [layer.name for net in nets for layer in net.layers if layer.params]
    known = {layer.name for net in nets for layer in net.layers}
    for source in _weights(beside):
        content = source.account.content
        if not nets or not isinstance(content, Weights) or not content.layers:
            continue
        filled = [saved for saved in content.layers if saved.blobs]
        if any(saved.name in known for saved in filled or content.layers):
            continue
        from difflib import get_close_matches

        near = [(saved.name, found[0]) for saved in filled if (found := get_close_matches(saved.name, names, 1, 0.75))]
        hint = f" (`{near[0][0]}` is near the net's `{near[0][1]}`)" if near else ""
        yield finding(
            source.at(),
            f"`{source.name}` holds layers named "
            f"{', '.join(f'`{one.name}`' for one in (filled or content.layers)[:3])}, none "
            f"of which the net has{hint}, so nothing is loaded; name the weights of this net",
        )


@rule("DAT901", "weights-non-finite", ERROR, effect=Effect.NON_FINITE)
def weights_non_finite(beside: Beside) -> Iterator[Problem]:
    """A weights file holds NaN or infinity in a layer that the net loads.

    **In Caffe** numbers are copied as they are (blob.cpp, FromProto), and the net's output is NaN from the
    first iteration on. Such files are snapshots of a run that had blown up.

    **Instead** start from an earlier snapshot.
    """
    net = _trained(beside)
    for source in _weights(beside):
        for saved, figures in _saved(source):
            loaded = net is not None and any(layer.name == saved.name for layer in net.layers)
            spoiled = [index for index, one in enumerate(figures) if one is not None and one.nonfinite]
            without = [index for index, blob in enumerate(saved.blobs) if blob is not None and not blob.finite]
            if loaded and (spoiled or without):
                numbers = sum(one.nonfinite for one in figures if one is not None)
                yield finding(
                    source.at(),
                    f"`{source.name}` holds NaN or infinity in layer `{saved.name}`, which the net loads; start "
                    "from an earlier snapshot",
                    evidence=f"{counted(numbers, 'number')} of blob {spoiled[0]}" if spoiled else None,
                    layer=saved.name,
                )


@rule("DAT904", "batch-norm-variance", ERROR, effect=Effect.NON_FINITE)
def batch_norm_variance(beside: Beside) -> Iterator[Problem]:
    """The saved variance of a BatchNorm is negative.

    **In Caffe** the saved statistics are used where `use_global_stats` holds, in the TEST phase by default
    (batch_norm_layer.cpp): the square root of a negative number is NaN.

    **Instead** start from another snapshot; merged or quantised weights often lose a sign.
    """
    for source, layer, figures in _statistics(beside):
        variance, factor = (figures[index] if index < len(figures) else None for index in (_VARIANCE, _FACTOR))
        scale = factor.low if factor is not None and factor.number else 1.0
        eps = layer.param.batch_norm_param.eps
        if variance is None or not variance.number or not scale or variance.low / scale >= -eps:
            continue
        yield finding(
            layer.at("name"),
            f"`{source.name}` gives `{layer.name}` a variance of {variance.low / scale:.4g}, and its square root is "
            "NaN where "
            "the saved statistics are used; start from another snapshot",
            layer=layer.name,
            phase=layer.net.phase,
            related=_named(source),
            severity=ERROR if layer.net.runs and layer.net.phase != TEST else WARNING,
        )


@rule("DAT905", "batch-norm-factor-zero", WARNING, effect=Effect.DIVERGENCE)
def batch_norm_factor_zero(beside: Beside) -> Iterator[Problem]:
    """The saved factor of a BatchNorm is 0, so that its statistics count as 0.

    **In Caffe** mean and variance are divided by the third blob, and where that is 0 they are multiplied by 0
    (batch_norm_layer.cpp): the variance is `eps` alone, and what is normalised grows 316-fold.

    **Instead** write 1 into the third blob, or train before you use the saved statistics.
    """
    for source, layer, figures in _statistics(beside):
        factor = figures[_FACTOR] if len(figures) > _FACTOR else None
        if factor is None or factor.number != 1 or factor.low != 0:
            continue
        yield finding(
            layer.at("name"),
            f"`{source.name}` gives `{layer.name}` the factor 0, so its saved mean and variance count as 0 and its "
            "output "
            "grows 316-fold; write 1 into the third blob",
            layer=layer.name,
            phase=layer.net.phase,
            related=_named(source),
        )


def _statistics(beside: Beside) -> Iterator[tuple[Source, Layer, tuple[Figures | None, ...]]]:
    """The BatchNorm layers that use what a file gives them, with its figures."""
    for source in _weights(beside):
        for saved, figures in _saved(source):
            for net in beside.nets:
                layer = next((one for one in net.layers if one.name == saved.name), None)
                if layer is not None and layer.type == _OWN_STATISTICS and _uses_saved(layer):
                    yield source, layer, figures
                    break


def _uses_saved(layer: Layer) -> bool:
    param = layer.param.batch_norm_param
    return param.use_global_stats if param.HasField("use_global_stats") else layer.phase == TEST


@rule("SOL026", "frozen-and-unfilled", WARNING, effect=Effect.NO_LEARNING)
def frozen_and_unfilled(beside: Beside) -> Iterator[Problem]:
    """A layer never learns, and no weights file has weights for it.

    **In Caffe** `lr_mult: 0` leaves weights as they are (sgd_solver.cpp), and only a layer of the same name in the
    files of `weights` changes what the filler has made (net.cpp, CopyTrainedLayersFrom). So the layer stays random.

    **Instead** give the layer the name that it has in the weights file, or let it learn.
    """
    net, files = _trained(beside), list(_weights(beside))
    if net is None or net.refused or not files or not all(isinstance(one.account.content, Weights) for one in files):
        return
    saved = {layer.name for source in files for layer, _ in _saved(source)}
    for layer in net.layers:
        if layer.name not in saved and _stays_random(layer):
            yield finding(
                layer.at("name"),
                f"no weights file has a layer `{layer.name}`, and its `lr_mult: 0` keeps what its filler draws; give "
                "it the name that the weights file has, or let it learn",
                layer=layer.name,
                related=_named(files[0]),
            )


def _stays_random(layer: Layer) -> bool:
    """Whether a layer's weights are drawn, and never learned."""
    weights = [one for one in layer.params if one.owner is None]
    drawn = any(one.param.filler is not None and one.param.filler.type in _DRAWN for one in weights)
    return drawn and all(one.lr_mult == 0 for one in weights)


_DRAWN = ("gaussian", "uniform", "xavier", "msra", "positive_unitball")


@rule("SOL027", "weights-leave-layers", INFO, effect=Effect.NONE)
def weights_leave_layers(beside: Beside) -> Iterator[Problem]:
    """Some layers of the net start from their fillers, because the weights files have none of their names.

    **In Caffe** saved layers go to the layers of their names (net.cpp, CopyTrainedLayersFrom); the log tells which
    saved layers are ignored, and nothing tells which layers of the net got nothing. For the last layer of a
    net that is tuned to other classes that is meant.

    **Instead** look at the names, if it is not meant.
    """
    net, files = _trained(beside), list(_weights(beside))
    if net is None or net.refused or not files or not all(isinstance(one.account.content, Weights) for one in files):
        return
    saved = {layer.name for source in files for layer, _ in _saved(source)}
    needing = [layer for layer in net.layers if layer.params and not layer.param.blobs]
    left = [layer for layer in needing if layer.name not in saved]
    if left and len(left) < len(needing):
        shown = ", ".join(layer.called for layer in left[:4]) + (", ..." if len(left) > 4 else "")
        yield finding(
            files[0].at(),
            f"the weights fill {len(needing) - len(left)} of the {len(needing)} layers with weights; {shown} "
            f"{'start from their fillers' if len(left) > 1 else 'starts from its filler'}",
        )


def _where(layer: Layer, saved: SavedLayer) -> str:
    """The field that makes a layer's blobs other than the saved ones: the bias that it has more, else its name."""
    spare = len(layer.params) - len(saved.blobs)
    own = layer.params[-1].param.route.partition(".")[0] if layer.params else ""
    return own if spare == 1 and layer.params[-1].param.route.endswith("bias_filler") else "name"


def _weights(beside: Beside) -> Iterator[Source]:
    return (source for source in beside.sources if source.kind == "weights")


def _saved(source: Source) -> Iterator[tuple[SavedLayer, tuple[Figures | None, ...]]]:
    """The first layer of each name in a weights file, with the figures of its blobs."""
    content, names = source.account.content, set()
    if isinstance(content, Weights):
        for saved, figures in zip(content.layers, content.figures, strict=True):
            if saved.name not in names:
                names.add(saved.name)
                yield saved, figures


def _pairs(beside: Beside) -> Iterator[tuple[Source, Net, Layer, SavedLayer]]:
    """Saved layers with the layers of their names, where the blobs of these are known."""
    for source in _weights(beside):
        for saved, _ in _saved(source):
            for net in beside.nets:
                layer = next((one for one in net.layers if one.name == saved.name), None)
                if layer is None or layer.spec is None or any(one.param.shape is None for one in layer.params):
                    continue
                yield source, net, layer, saved


def _trained(beside: Beside) -> Net | None:
    return next((net for net in beside.nets if net.trained), None)


def _named(source: Source) -> list[Related]:
    return [] if source.given else [Related("the weights are named here", source.at())]


def _spelt(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape) or "()"
