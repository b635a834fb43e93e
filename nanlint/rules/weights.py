"""The weights that a run starts from, and those that its test nets take over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.caffe.model import count, same_shape
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.safety.reading import first_there, is_folder, is_regular

if TYPE_CHECKING:
    from nanlint.caffe.caffemodel import SavedLayer
    from nanlint.caffe.model import Layer, Solver


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


@rule("SOL018", "unreadable-weights", ERROR, effect=Effect.SETUP_FAILURE)
def unreadable_weights(solver: Solver) -> Iterator[Problem]:
    """A file named in `weights` is none that Caffe can read.

    **In Caffe** a file that is not HDF5 is read as a binary NetParameter (net.cpp, CopyTrainedLayersFrom;
    io.cpp, ReadProtoFromBinaryFile): a text net, a file cut short or a folder aborts. Several names are
    separated by commas alone.

    **Instead** name a `.caffemodel` that `caffe train` wrote.
    """
    from nanlint.caffe.caffemodel import NotAModelError, saved_layers

    for route, name in _weight_files(solver):
        path = _found(solver, name)
        if path is None:
            apart = name.split()
            by_blanks = len(apart) > 1 and all(_found(solver, part) for part in apart)
            yield finding(
                solver.at(route),
                f"`{name}` is read as one file name, since `weights` is split at commas alone; write a comma"
                if by_blanks
                else f"the weights file `{name}` is not on this machine; Caffe aborts where it is missing",
                severity=None if by_blanks else INFO,
            )
            continue
        if is_folder(path):
            yield finding(solver.at(route), f"`{name}` is a folder, and Caffe aborts; name a file")
            continue
        try:
            saved_layers(path)
        except NotAModelError:
            yield finding(
                solver.at(route),
                f"`{name}` is no binary NetParameter (a text file, or cut short), and Caffe aborts on "
                "reading it; name a `.caffemodel`",
            )
        except OSError:
            continue


@rule("SOL019", "weights-do-not-fit", ERROR, effect=Effect.SETUP_FAILURE)
def weights_do_not_fit(solver: Solver) -> Iterator[Problem]:
    """A layer of a weights file has the name of a layer of the net, and other blobs.

    **In Caffe** saved layers are matched by name, the first of that name (net.cpp, CopyTrainedLayersFrom),
    whatever their type: the number of blobs and each shape must be equal. Layers that only one side has are
    passed over.

    **Instead** rename the layer in the net, so that it starts from its fillers; or mend its sizes.
    """
    for route, name in _weight_files(solver):
        for saved in _readable(solver, name) or ():
            for net in solver.nets:
                layer = next((one for one in net.layers if one.name == saved.name), None)
                wrong = _misfit(layer, saved) if layer is not None else None
                if layer is not None and wrong and not net.refused:
                    yield finding(
                        layer.at(_where(layer, saved)),
                        f"`{name}` holds a layer `{layer.name}` whose {wrong}, and Caffe aborts on loading "
                        "it; rename the layer to start it from its fillers",
                        layer=layer.name,
                        related=[Related("the weights are named here", solver.at(route))],
                    )


@rule("SOL021", "weights-load-nothing", WARNING, effect=Effect.NONE)
def weights_load_nothing(solver: Solver) -> Iterator[Problem]:
    """No layer of a weights file has the name of a layer of the net, so nothing is loaded.

    **In Caffe** saved layers that the net does not have are passed over (net.cpp, CopyTrainedLayersFrom), and so is
    an empty file. A text net that begins with `layer` reads as an empty binary one. Training starts from the
    fillers, and nothing says so.

    **Instead** name the weights of this net, or give the layers that shall be loaded the names of the saved ones.
    """
    nets = [net for net in solver.nets if not net.refused]
    names = {layer.name for net in nets for layer in net.layers}
    for route, name in _weight_files(solver):
        layers = _readable(solver, name)
        if not nets or layers is None or any(saved.name in names for saved in layers):
            continue
        holds = f"layers named {', '.join(f'`{saved.name}`' for saved in layers[:3])}" if layers else "no layer"
        yield finding(
            solver.at(route),
            f"`{name}` holds {holds}, none of which the net has, so nothing is loaded; name the weights of this net",
        )


@rule("SOL020", "non-finite-weights", ERROR, effect=Effect.NON_FINITE)
def non_finite_weights(solver: Solver) -> Iterator[Problem]:
    """A weights file holds NaN or infinity in a layer that the net loads.

    **In Caffe** numbers are copied as they are (blob.cpp, FromProto), and the net's output is NaN from the
    first iteration on. Such files are snapshots of a run that had blown up.

    **Instead** start from an earlier snapshot.
    """
    net = solver.train_net
    for route, name in _weight_files(solver):
        for saved in _readable(solver, name) or ():
            loaded = net is not None and any(layer.name == saved.name for layer in net.layers)
            if loaded and not all(blob.finite for blob in saved.blobs if blob):
                yield finding(
                    solver.at(route),
                    f"`{name}` holds NaN or infinity in layer `{saved.name}`, which the net loads; start "
                    "from an earlier snapshot",
                    layer=saved.name,
                )


@rule("SOL026", "frozen-and-unfilled", WARNING, effect=Effect.NO_LEARNING)
def frozen_and_unfilled(solver: Solver) -> Iterator[Problem]:
    """A layer never learns, and no weights file has weights for it.

    **In Caffe** `lr_mult: 0` leaves weights as they are (sgd_solver.cpp), and only a layer of the same name in the
    files of `weights` changes what the filler has made (net.cpp, CopyTrainedLayersFrom). So the layer stays random.

    **Instead** give the layer the name that it has in the weights file, or let it learn.
    """
    net = solver.train_net
    files = [_readable(solver, name) for _, name in _weight_files(solver)]
    if net is None or net.refused or not files or None in files:
        return
    saved = {layer.name for layers in files for layer in layers or ()}
    for layer in net.layers:
        if layer.name not in saved and _stays_random(layer):
            yield finding(
                layer.at("name"),
                f"no weights file has a layer `{layer.name}`, and its `lr_mult: 0` keeps what its filler draws; give "
                "it the name that the weights file has, or let it learn",
                layer=layer.name,
                related=[Related("the weights are named here", solver.at("weights[0]"))],
            )


def _stays_random(layer: Layer) -> bool:
    """Whether a layer's weights are drawn, and never learned."""
    weights = [one for one in layer.params if one.owner is None]
    drawn = any(one.param.filler is not None and one.param.filler.type in _DRAWN for one in weights)
    return drawn and all(one.lr_mult == 0 for one in weights)


_DRAWN = ("gaussian", "uniform", "xavier", "msra", "positive_unitball")


@rule("SOL027", "weights-leave-layers", INFO, effect=Effect.NONE)
def weights_leave_layers(solver: Solver) -> Iterator[Problem]:
    """Some layers of the net start from their fillers, because the weights files have none of their names.

    **In Caffe** saved layers go to the layers of their names (net.cpp, CopyTrainedLayersFrom); the log tells which
    saved layers are ignored, and nothing tells which layers of the net got nothing. For the last layer of a
    net that is tuned to other classes that is meant.

    **Instead** look at the names, if it is not meant.
    """
    net = solver.train_net
    files = [(route, _readable(solver, name)) for route, name in _weight_files(solver)]
    if net is None or net.refused or not files or any(layers is None for _, layers in files):
        return
    saved = {layer.name for _, layers in files for layer in layers or ()}
    needing = [layer for layer in net.layers if layer.params and not layer.param.blobs]
    left = [layer for layer in needing if layer.name not in saved]
    if left and len(left) < len(needing):
        shown = ", ".join(layer.called for layer in left[:4]) + (", ..." if len(left) > 4 else "")
        yield finding(
            solver.at(files[0][0]),
            f"the weights fill {len(needing) - len(left)} of the {len(needing)} layers with weights; {shown} "
            f"{'start from their fillers' if len(left) > 1 else 'starts from its filler'}",
        )


def _where(layer: Layer, saved: SavedLayer) -> str:
    """The field that makes a layer's blobs other than the saved ones: the bias that it has more, else its name."""
    spare = len(layer.params) - len(saved.blobs)
    own = layer.params[-1].param.route.partition(".")[0] if layer.params else ""
    return own if spare == 1 and layer.params[-1].param.route.endswith("bias_filler") else "name"


def _weight_files(solver: Solver) -> Iterator[tuple[str, str]]:
    """The route and name of each weights file, as Caffe splits them."""
    for index, names in enumerate(solver.param.weights):
        for name in names.split(","):
            if name.strip() and "\0" not in name:
                yield f"weights[{index}]", name.strip()


def _found(solver: Solver, name: str) -> Path | None:
    places = (Path(name), Path(solver.path).parent / name)
    return first_there(places)


def _readable(solver: Solver, name: str) -> tuple[SavedLayer, ...] | None:
    """The layers of a weights file; None where it cannot be read here."""
    path = _found(solver, name)
    if path is None or not is_regular(path):
        return None
    from nanlint.caffe.caffemodel import NotAModelError, saved_layers

    try:
        return saved_layers(path)
    except (NotAModelError, OSError):
        return None


def _misfit(layer: Layer, saved: SavedLayer) -> str | None:
    """How a saved layer differs from the net's."""
    if layer.spec is None or any(one.param.shape is None for one in layer.params):
        return None
    spare = len(layer.params) - len(saved.blobs)
    blobs = saved.blobs + (None,) * spare if saved.absent else saved.blobs
    if len(layer.params) != len(blobs):
        return f"number of blobs is {len(blobs)}, not {len(layer.params)}"
    for one, blob in zip(layer.params, blobs, strict=True):
        if blob is None:
            if one.owner is None:
                return f"blob {one.index} is missing"
            continue
        shape = one.param.shape or ()
        if same_shape(blob.shape_of(len(shape)), shape) is False:
            return f"blob {one.index} has the shape {_spelt(blob.shape)}, not {_spelt(shape)}"
        expected = count(shape)
        if expected is not None and blob.count != expected:
            return f"blob {one.index} has {blob.count} numbers for the shape {_spelt(shape)}"
    return None


def _spelt(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape) or "()"
