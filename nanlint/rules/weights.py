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
                        layer.at("name"),
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
