"""The program that shall use a net (`--target`): what of the net it does not read, as far as public sources say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.layers import MODULES
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import INFO, WARNING, finding, rule
from nanlint.schema.targets import target

if TYPE_CHECKING:
    from nanlint.caffe.deployment import Targeted
    from nanlint.caffe.model import Layer
    from nanlint.schema.targets import Target

@rule("TGT001", "target-lacks-layer", WARNING, effect=Effect.NONE)
def target_lacks_layer(given: Targeted) -> Iterator[Problem]:
    """The program named with `--target` does not read a layer type of the net.

    **In Caffe** the type is fine. The reader has a list of its own, and stops at, or misreads, what is not on it; the
    finding names the source that says so. Data layers, losses and Accuracy are left out: `nanlint deploy` removes them.

    **Instead** write the layer by others that the reader has, leave it to the program, or register it as a layer of
    your own with the reader.
    """
    reader = target(given.target)
    seen: set[str] = set()
    for layer in _used(given):
        source = reader.refused.get(layer.type)
        if source is None and reader.types is not None and layer.type not in reader.types:
            source = reader.types_source
        if source is None and reader.more_types is not None and layer.type not in (*MODULES, *reader.more_types):
            source = reader.types_source
        if source is None or layer.type in seen:
            continue
        seen.add(layer.type)
        same = [one for one in _used(given) if one.type == layer.type and one is not layer]
        more = f" and {len(same)} more" if same else ""
        yield finding(
            layer.at("type"),
            f'{reader.called} does not read `type: "{layer.type}"` of {layer.called}{more}; write it by other layers, '
            "or add the layer to the reader",
            evidence=f"source: {source}",
            layer=layer.name,
            related=[Related(f"{one.called} too", one.at("type")) for one in same[:2]],
        )


@rule("TGT002", "target-reads-no-old-format", WARNING, effect=Effect.NONE)
def target_reads_no_old_format(given: Targeted) -> Iterator[Problem]:
    """The net is in a format that the program named with `--target` does not read.

    **In Caffe** old formats are made new each time that a file is read (upgrade_proto.cpp). Other readers know today's
    alone: without `layer` they find an empty net, without an Input layer no input.

    **Instead** write the file in today's format with `nanlint upgrade`.
    """
    reader, bound = target(given.target), given.net.bound
    for name, said in (("layers", reader.old_layers), ("input", reader.old_inputs)):
        if said is not None and bound.field(name) is not None:
            yield finding(
                bound.place(name),
                f"{reader.called} {said.words}, and this file has the old `{name}`; write it in today's format with "
                "`nanlint upgrade`",
                evidence=f"source: {said.source}",
            )
            return


@rule("TGT003", "target-ignores-phases", WARNING, effect=Effect.NONE)
def target_ignores_phases(given: Targeted) -> Iterator[Problem]:
    """The program named with `--target` reads layers of every phase.

    **In Caffe** `include` and `exclude` choose the layers (net.cpp, FilterNet). This reader does not look at them, so
    it reads two data layers, or a layer that was for training alone.

    **Instead** write the deploy net with `nanlint deploy`.
    """
    said = target(given.target).every_phase
    if said is None:
        return
    for index, layer in enumerate(given.net.param.layer):
        if layer.include or layer.exclude:
            rules = "include" if layer.include else "exclude"
            yield finding(
                given.net.at(f"layer[{index}].{rules}[0]"),
                f"{target(given.target).called} reads `{layer.name}` in every phase, whatever its `{rules}` says; "
                "write the deploy net with `nanlint deploy`",
                evidence=f"source: {said.source}",
                layer=layer.name,
            )
            return


@rule("TGT004", "target-limit", WARNING, effect=Effect.NONE)
def target_limit(given: Targeted) -> Iterator[Problem]:
    """A layer is beyond what the program named with `--target` can do.

    **In Caffe** it runs. The reader has limits of its own: how large a map may be, which statistics BatchNorm uses,
    fields that only a fork has.

    **Instead** write what the finding says.
    """
    reader = target(given.target)
    yield from _too_large(given, reader)
    for layer in _used(given):
        param = layer.param.batch_norm_param
        if reader.batch_statistics and param.HasField("use_global_stats") and not param.use_global_stats:
            yield finding(
                layer.at("batch_norm_param.use_global_stats"),
                f"{reader.called} has no statistics of the batch, as {layer.called} asks for; remove "
                "`use_global_stats: false`",
                evidence=f"source: {reader.batch_statistics.source}",
                layer=layer.name,
            )
    for use in given.net.bound.fork_uses if reader.foreign_fields else ():
        said = reader.foreign_fields
        yield finding(
            use.place,
            f"{reader.called} knows the fields of BVLC Caffe alone, and stops at {use.what}; remove it",
            evidence=f"source: {said.source}" if said else None,
        )


def _too_large(given: Targeted, reader: Target) -> Iterator[Problem]:
    """The first map that is larger than the reader takes; those above it are of its making."""
    if reader.largest_map is None:
        return
    most, source = reader.largest_map
    for layer in _used(given):
        for blob in layer.tops:
            largest = max((size for size in (blob.shape or ())[2:] if size is not None), default=0)
            if largest > most:
                yield finding(
                    blob.made_at,
                    f"{reader.called} takes maps of at most {most}, and `{blob.name}` of {layer.called} has {largest}; "
                    "give the net a smaller input",
                    evidence=f"source: {source}",
                    layer=layer.name,
                )
                return


@rule("TGT005", "target-not-fully-known", INFO, effect=Effect.NONE)
def target_not_fully_known(given: Targeted) -> Iterator[Problem]:
    """Not everything that the program named with `--target` demands of a net is publicly known.

    **In Caffe** nothing of this matters. The other findings of `--target` rest on public sources; where those are
    silent, nanlint is.

    **Instead** try the net in the reader itself.
    """
    reader = target(given.target)
    yield finding(given.net.at(), f"of {reader.called} nanlint does not know {reader.unknown}; try the net in it")


def _used(given: Targeted) -> list[Layer]:
    """The layers that a deploy net has."""
    from nanlint.analysis.deploying import is_data, is_loss

    return [layer for layer in given.net.layers if not is_data(layer) and not is_loss(layer)]
