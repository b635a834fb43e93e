"""Mean files and Infogain matrices: what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.data.records import Matrix
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.feeding import feeds_max_pooling, sure
from nanlint.rules.registry import ERROR, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.data.beside import Source
    from nanlint.data.records import Account, Channel

_UNREADABLE = ("unreadable", "count", "too-large", "damaged", "killed")


@rule("DAT302", "mean-channel-order", WARNING, effect=Effect.NONE)
def mean_channel_order(source: Source) -> Iterator[Problem]:
    """The channels of the mean file fit the data only in the other order.

    **In Caffe** nothing compares them. OpenCV gives blue first, so a mean that was computed in red, green, blue is off
    by the difference of the channels.

    **Instead** compute the mean with `compute_image_mean`, or turn its channels round.
    """
    means, data = _figures(source)
    if means is None or data is None or len(means) != 3 or len(data) != 3:
        return
    as_is = sum(abs(one.mean - other.mean) for one, other in zip(means, data, strict=True))
    turned = sum(abs(one.mean - other.mean) for one, other in zip(means[::-1], data, strict=True))
    spread = max(one.mean for one in data) - min(one.mean for one in data)
    if spread > 3 and turned < 0.35 * as_is and turned < 0.5 * spread:
        yield finding(
            source.at(),
            f"the channels of `{source.name}` are {_spelt(means)} and those of the data {_spelt(data)}: the mean is in "
            "the "
            "other order (red first), and nothing compares them; turn its channels round",
            layer=source.layer.name if source.layer else None,
            phase=source.phase,
        )


@rule("DAT303", "mean-range", WARNING, effect=Effect.NONE)
def mean_range(source: Source) -> Iterator[Problem]:
    """The mean file is of another range than the data: 0 to 1 against 0 to 255.

    **In Caffe** the mean is subtracted as it is, before `scale` (data_transformer.cpp).

    **Instead** compute the mean of the data as it is stored.
    """
    means, data = _figures(source)
    if means is None or data is None:
        return
    mean, high = max(one.high for one in means), max(one.high for one in data)
    level = sum(one.mean for one in data) / len(data)
    small = 0 < mean <= 1 and high > 20 and abs(level) > 10
    large = high <= 2 and mean > 20
    if small or large:
        yield finding(
            source.at(),
            f"`{source.name}` goes up to {mean:.4g} and the data up to {high:.4g}, so the mean is of another range and "
            "takes away next to nothing" + ("" if small else " but itself") + "; compute it of the data as it is "
            "stored",
            layer=source.layer.name if source.layer else None,
            phase=source.phase,
        )


def _figures(source: Source) -> tuple[tuple[Channel, ...] | None, tuple[Channel, ...] | None]:
    """The channels of the mean file, and those of the data as it is stored."""
    if source.kind != "mean" or not source.tops or source.data is None or not source.data.tops:
        return None, None
    means, data = source.tops[0].channels, source.data.tops[0].channels
    return (
        tuple(one for one in means if one.number) or None if means else None,
        tuple(one for one in data if one.number) or None if data else None,
    )


def _spelt(channels: tuple[Channel, ...]) -> str:
    return ", ".join(f"{one.mean:.4g}" for one in channels)


@rule("DAT304", "mean-non-finite", ERROR, effect=Effect.NON_FINITE)
def mean_non_finite(source: Source) -> Iterator[Problem]:
    """The mean file holds NaN or infinity.

    **In Caffe** it is subtracted from every record, at the same pixel (data_transformer.cpp), so the loss is NaN from
    the first batch on, unless the crop misses the pixel.

    **Instead** compute the mean anew.
    """
    layer = source.layer
    if source.kind != "mean" or layer is None or not source.tops or not source.tops[0].nonfinite:
        return
    number = source.tops[0].nonfinite
    pooled = bool(layer.tops) and feeds_max_pooling(layer.tops[0])
    yield finding(
        source.at(),
        f"`{source.name}` holds {number} NaN or infinite {'number' if number == 1 else 'numbers'}, which every record "
        "of "
        f"`{layer.name}` gets; compute the mean anew",
        layer=layer.name,
        phase=source.phase,
        severity=WARNING if layer.param.transform_param.crop_size else sure(source, 0),
        effect=Effect.MEMORY_ERROR if pooled else None,
    )


@rule("DAT305", "mean-unreadable", ERROR, effect=Effect.SETUP_FAILURE)
def mean_unreadable(source: Source) -> Iterator[Problem]:
    """The mean file is no BlobProto, or holds another number of values than its size says.

    **In Caffe** it is read while the layer is set up (data_transformer.cpp; io.cpp, ReadProtoFromBinaryFile; blob.cpp,
    FromProto): a file cut short, a numpy file or an empty one aborts.

    **Instead** write it with `compute_image_mean`; from numpy with `caffe.io.array_to_blobproto`.
    """
    fault = unreadable(source.account)
    if source.kind != "mean" or fault is None:
        return
    yield finding(
        source.at(),
        f"`{source.name}` cannot be read as a mean ({fault}), and Caffe aborts; write it with `compute_image_mean`",
        layer=source.layer.name if source.layer else None,
        phase=source.phase,
    )


def unreadable(account: Account) -> str | None:
    """Why a file is no blob."""
    fault = account.fault(*_UNREADABLE)
    if fault is None and isinstance(account.content, Matrix) and not account.content.held:
        return "it is empty"
    return fault.words if fault is not None else None


@rule("DAT951", "infogain-size", ERROR, effect=Effect.SETUP_FAILURE)
def infogain_size(source: Source) -> Iterator[Problem]:
    """The matrix of an InfogainLoss does not have as many rows and columns as there are classes.

    **In Caffe** `Check failed: infogain->count() == num_labels_*num_labels_` (infogain_loss_layer.cpp, Reshape). What
    cannot be parsed is dropped, and the matrix is then empty: `Check failed: count_ == proto.data_size()`.

    **Instead** write a matrix of classes x classes, the class of the label as its row.
    """
    layer, content = source.layer, source.account.content
    if source.kind != "matrix" or layer is None or len(layer.bottoms) > 2:
        return
    why = unreadable(source.account)
    if why is not None:
        yield finding(
            source.at(),
            f"`{source.name}` cannot be read as a matrix ({why}), and Caffe aborts; write it anew as a BlobProto",
            layer=layer.name,
            phase=source.phase,
        )
        return
    scores = layer.bottoms[0].shape if layer.bottoms else None
    axis = layer.param.infogain_loss_param.axis
    classes = scores[axis] if scores is not None and -len(scores) <= axis < len(scores) else None
    if classes is None or not isinstance(content, Matrix) or content.held == classes * classes:
        return
    yield finding(
        source.at(),
        f"`{source.name}` holds {content.held} numbers and `{layer.name}` has {classes} classes, which want {classes} "
        "x "
        f"{classes}: Caffe aborts; write a matrix of {classes * classes} numbers",
        related=[Related(f"the {classes} classes come from here", layer.bottoms[0].producer.at())],
        layer=layer.name,
        phase=source.phase,
    )


@rule("DAT952", "infogain-values", WARNING, effect=Effect.NONE)
def infogain_values(source: Source) -> Iterator[Problem]:
    """The matrix of an InfogainLoss holds negative numbers, rows of 0, or what is not finite.

    **In Caffe** they are used as they are (infogain_loss_layer.cpp): a negative number turns the loss of its class
    upside down, a row of 0 teaches nothing of its class, NaN makes the loss NaN when its label comes.

    **Instead** write weights of 0 and more, with something in each row.
    """
    layer, content = source.layer, source.account.content
    if source.kind != "matrix" or layer is None or not isinstance(content, Matrix) or not source.tops:
        return
    nonfinite = source.tops[0].nonfinite
    words = []
    if nonfinite:
        words.append(f"NaN or infinity {counted(nonfinite, 'time')}, which makes the loss NaN")
    if content.negative:
        words.append(f"{content.negative} negative numbers, which turn the loss upside down")
    if content.zero_rows:
        rows = ", ".join(map(str, content.zero_rows[:4]))
        words.append(f"nothing but 0 in row {rows}, of which nothing is learnt")
    if words:
        yield finding(
            source.at(),
            f"`{source.name}` of `{layer.name}` holds {' and '.join(words)}; write weights of 0 and more, with "
            "something "
            "in each row",
            layer=layer.name,
            phase=source.phase,
            effect=Effect.NON_FINITE if nonfinite else Effect.DIVERGENCE if content.negative else None,
        )
