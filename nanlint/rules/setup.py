"""What stops Caffe while it builds a net: found below, as the net is built, and documented here by kind of
mistake."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.caffe.model import Net, Solver
from nanlint.findings import Effect, Problem
from nanlint.rules.registry import ERROR, WARNING, rule
from nanlint.rules.remedies import fitting_no_image, solved

SETUP = Effect.SETUP_FAILURE


@rule("SET001", "missing-net-file", WARNING, effect=SETUP)
def missing_net_file(solver: Solver) -> Iterator[Problem]:
    """A net file that the solver names is not found.

    **In Caffe** the path is taken from the working directory alone; a file that is not there ends the run at
    once (`io.cpp`, ReadProtoFromTextFile: `File not found`). nanlint looks further, because a solver is often
    linted from elsewhere: beside the solver, then up its ancestors, then in each `--root`.

    **Instead** mend the path, run from the folder that it starts in, or name that folder with `--root`.
    """
    return solver.found("missing-net-file")


@rule("SET025", "solver-as-net", ERROR, effect=Effect.PARSE_FAILURE)
def solver_as_net(solver: Solver) -> Iterator[Problem]:
    """The file that the solver names as its net is itself a solver.

    **In Caffe** the file is read as a net, and protobuf aborts at its first field (`upgrade_proto.cpp`,
    ReadNetParamsFromTextFileOrDie: `Failed to parse NetParameter file`).

    **Instead** name the net: often the one that the other solver names.
    """
    return solver.found("solver-as-net")


@rule("SET002", "unknown-layer-type", ERROR, effect=SETUP)
def unknown_layer_type(net: Net) -> Iterator[Problem]:
    """A layer's `type` is none that Caffe registers.

    **In Caffe** the layer factory aborts (`layer_factory.hpp`, CreateLayer: `Unknown layer type`). Names are
    exact, capitals too: `ReLU`, not `RELU`. ImageData and WindowData exist in builds with OpenCV only, Python
    in builds with the Python layer only. Types that only forks have are no finding unless `--caffe` names a
    Caffe that lacks them.

    **Instead** write the type as Caffe spells it, or run the net with the fork that it was written for.
    """
    return net.found("unknown-layer-type")


@rule("SET003", "wrong-bottom-count", ERROR, effect=SETUP)
def wrong_bottom_count(net: Net) -> Iterator[Problem]:
    """A layer has more or fewer bottoms than its type takes.

    **In Caffe** the counts are checked before the layer's own setup (`layer.hpp`, CheckBlobCounts). A loss
    takes the prediction and the label; an Eltwise takes at least two bottoms.

    **Instead** write the bottoms that the type takes, one `bottom: "name"` each.
    """
    return net.found("wrong-bottom-count")


@rule("SET004", "wrong-top-count", ERROR, effect=SETUP)
def wrong_top_count(net: Net) -> Iterator[Problem]:
    """A layer has more or fewer tops than its type makes.

    **In Caffe** the counts are checked before the layer's own setup (`layer.hpp`, CheckBlobCounts). Only a
    loss may leave its top out: the net then makes one that nobody can read.

    **Instead** write the tops that the type makes, one `top: "name"` each.
    """
    return net.found("wrong-top-count")


@rule("SET005", "shape-mismatch", ERROR, effect=SETUP)
def shape_mismatch(net: Net) -> Iterator[Problem]:
    """The shapes of two blobs, or of a blob and a setting, do not fit each other.

    **In Caffe** each layer compares shapes as it is set up, and aborts with the two numbers and a C++ line.
    nanlint names both ends and where each comes from.

    **Instead** change the setting at either end so that the numbers agree.
    """
    yield from solved(net, net.found("shape-mismatch"))
    yield from fitting_no_image(net)


@rule("SET006", "value-out-of-range", ERROR, effect=SETUP)
def value_out_of_range(net: Net) -> Iterator[Problem]:
    """A setting has a value that its layer does not take.

    **In Caffe** the layer's setup checks it and aborts (in a few layers the first forward pass does). A
    number that is left out counts as its default, which may be the refused one: `num_output` is 0 unless
    given.

    **Instead** write a value in the range that the message names.
    """
    return net.found("value-out-of-range")


@rule("SET007", "missing-field", ERROR, effect=SETUP)
def missing_field(net: Net) -> Iterator[Problem]:
    """A layer lacks a setting that it cannot do without.

    **In Caffe** the text format has no required fields here, so the file parses, and the layer's setup
    aborts.

    **Instead** add the field that the message names.
    """
    return net.found("missing-field")


@rule("SET008", "conflicting-fields", ERROR, effect=SETUP)
def conflicting_fields(net: Net) -> Iterator[Problem]:
    """Two settings exclude each other, or a list is not as long as it must be.

    **In Caffe** both are read, and the setup aborts: on `kernel_size` beside `kernel_h`, on `include` beside
    `exclude` (even for a layer of the other phase), on `layer` beside the old `layers`.

    **Instead** keep one of them.
    """
    return net.found("conflicting-fields")


@rule("SET009", "axis-out-of-range", ERROR, effect=SETUP)
def axis_out_of_range(net: Net) -> Iterator[Problem]:
    """A layer works along an axis that its bottom does not have, or on more axes than it can.

    **In Caffe** an axis is valid from minus the number of axes to that number minus 1 (`blob.hpp`,
    CanonicalAxisIndex); Pooling, LRN and others take blobs of four axes only.

    **Instead** write an axis that the bottom has, or give the layer a bottom of the right form with
    `Reshape`.
    """
    return solved(net, net.found("axis-out-of-range"))


@rule("SET010", "negative-size", ERROR, effect=SETUP)
def negative_size(net: Net) -> Iterator[Problem]:
    """The sizes and settings of a layer leave a negative size for its top.

    **In Caffe** the blob refuses it (`blob.cpp`, Reshape: `shape[i] >= 0`), mostly since a kernel is larger
    than what it slides over.

    **Instead** write a smaller kernel, more padding or fewer layers that shrink the blob before.
    """
    return solved(net, net.found("negative-size"))


@rule("SET011", "empty-blob", ERROR, effect=SETUP)
def empty_blob(net: Net) -> Iterator[Problem]:
    """A blob has a size of 0 where somebody touches its numbers.

    **In Caffe** a blob without elements has no memory, and the first access aborts (`Check failed: data_`):
    at setup where the layer fills or prepares something of that size, else in the first forward pass.

    **Instead** make every size at least 1.
    """
    return net.found("empty-blob")


@rule("SET012", "blob-too-large", ERROR, effect=SETUP)
def blob_too_large(net: Net) -> Iterator[Problem]:
    """A blob would hold more numbers, or have more axes, than Caffe can count.

    **In Caffe** a blob holds at most 2^31 - 1 numbers on 32 axes (`blob.cpp`, Reshape), and Caffe aborts
    beyond.

    **Instead** write smaller sizes; look for a digit too many.
    """
    return net.found("blob-too-large")


@rule("SET013", "division-by-zero", ERROR, effect=SETUP)
def division_by_zero(net: Net) -> Iterator[Problem]:
    """A setting of 0 is divided by, and the process dies of a signal.

    **In Caffe** no check stands before the division, so the run ends in SIGFPE without a word of explanation.

    **Instead** write a number above 0.
    """
    return net.found("division-by-zero")


@rule("SET014", "index-out-of-range", ERROR, effect=Effect.MEMORY_ERROR)
def index_out_of_range(net: Net) -> Iterator[Problem]:
    """A layer reads or writes beyond a blob.

    **In Caffe** release builds check no index, so the layer takes whatever stands in memory there: the
    numbers are garbage, and the process may die of it.

    **Instead** keep every index below the size that the message names.
    """
    return net.found("index-out-of-range")


@rule("SET016", "invalid-filler", ERROR, effect=SETUP)
def invalid_filler(net: Net) -> Iterator[Problem]:
    """A filler is of no known type, or cannot fill the blob that it is for.

    **In Caffe** weights are filled while the layer is set up, and a filler that cannot do it aborts
    (`filler.hpp`, `math_functions.cpp`); in DummyData all but `constant` fill at the first forward pass, and
    abort there. Types are exact: constant, uniform, gaussian, positive_unitball, xavier, msra, bilinear.
    `sparse` goes with `gaussian` only, `bilinear` with square kernels of four axes only, so never with a
    bias.

    **Instead** write a filler that suits the blob.
    """
    return net.found("invalid-filler")


@rule("SET017", "param-mismatch", ERROR, effect=SETUP)
def param_mismatch(net: Net) -> Iterator[Problem]:
    """Parameters that two layers share, or that the file gives in `blobs`, do not fit.

    **In Caffe** layers whose `param` have one name share the blob of the first (`net.cpp`, AppendParam). Its
    shape must be equal (only its count, where the later layer says `share_mode: PERMISSIVE`), and `lr_mult`
    and `decay_mult`, if both layers give them, too. Numbers in `blobs` must fill the shape beside them
    (`blob.cpp`, FromProto).

    **Instead** give both layers the same settings, or the parameters two names.
    """
    return net.found("param-mismatch")


@rule("SET018", "too-many-param-specs", ERROR, effect=SETUP)
def too_many_param_specs(net: Net) -> Iterator[Problem]:
    """A layer has more `param` blocks than parameters.

    **In Caffe** this is fatal (`net.cpp`, Init: `Too many params specified`). With `bias_term: false` only
    the weights are left; ReLU, Pooling and the like have none.

    **Instead** write one `param` for the weights and one for the bias, or fewer.
    """
    return net.found("too-many-param-specs")


@rule("SET019", "wrong-loss-weight-count", ERROR, effect=SETUP)
def wrong_loss_weight_count(net: Net) -> Iterator[Problem]:
    """A layer has `loss_weight`, but not one for each top.

    **In Caffe** the number of `loss_weight` must be 0 or that of the tops (`layer.hpp`, SetLossWeights). A
    loss without any gives itself one, and so fails with two tops.

    **Instead** write one `loss_weight` for each top, 0 for those that are no loss.
    """
    return net.found("wrong-loss-weight-count")


@rule("SET020", "wrong-propagate-down-count", ERROR, effect=SETUP)
def wrong_propagate_down_count(net: Net) -> Iterator[Problem]:
    """A layer has `propagate_down`, but not one for each bottom.

    **In Caffe** the number of `propagate_down` must be 0 or that of the bottoms (`net.cpp`, Init).

    **Instead** write one for each bottom, or none.
    """
    return net.found("wrong-propagate-down-count")


@rule("SET021", "refused-in-place", ERROR, effect=SETUP)
def refused_in_place(net: Net) -> Iterator[Problem]:
    """A layer that cannot work in place has a top named like its bottom.

    **In Caffe** AbsVal, Flatten, Reshape and Split check for it and abort.

    **Instead** write another name for the top.
    """
    return net.found("refused-in-place")


@rule("SET022", "missing-input-shape", ERROR, effect=Effect.MEMORY_ERROR)
def missing_input_shape(net: Net) -> Iterator[Problem]:
    """A net has more `input` than shapes for them.

    **In Caffe** the upgrade to an Input layer takes four `input_dim`, or one `input_shape`, for each `input`
    without a check (`upgrade_proto.cpp`, UpgradeNetInput): it reads past the end of the list.

    **Instead** write one `input_shape { dim: ... }` for each `input`.
    """
    return net.found("missing-input-shape")


@rule("SET023", "invalid-padding-layer", ERROR, effect=SETUP)
def invalid_padding_layer(net: Net) -> Iterator[Problem]:
    """A padding layer of the oldest format stands where Caffe cannot fold it into a convolution.

    **In Caffe** such layers vanish on reading, and their `pad` goes to the conv or pool layer that reads
    them; any other reader, or more than one bottom, is fatal (`upgrade_proto.cpp`, UpgradeV0PaddingLayers).

    **Instead** write `pad` in the convolution.
    """
    return net.found("invalid-padding-layer")


@rule("SET024", "ignored-field", WARNING, effect=Effect.NONE)
def ignored_field(net: Net) -> Iterator[Problem]:
    """A field is read and then dropped, without a word.

    **In Caffe** the upgrade from the oldest format keeps a few fields and loses the rest, and a net that
    stands inside the solver is not upgraded at all: its old `layers` and `input` do not exist for Caffe.

    **Instead** write the net in the format of today.
    """
    return net.found("ignored-field")
