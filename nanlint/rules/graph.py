"""How the layers of a net hang together: who reads whom, what reaches a loss, what learns."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.caffe.model import Net
from nanlint.findings import Effect, Problem
from nanlint.rules.registry import ERROR, rule


@rule("NET001", "unknown-bottom", ERROR, effect=Effect.SETUP_FAILURE)
def unknown_bottom(net: Net) -> Iterator[Problem]:
    """A layer reads a blob that no earlier layer of the net makes.

    **In Caffe** bottoms are looked up among the tops of the earlier layers that the net's phase, level and stages keep
    (`insert_splits.cpp`: `Unknown bottom blob`). Names are exact, and a layer does not see its own tops or later ones.

    **Instead** mend the name, move the layer below the one that makes the blob, or give both layers the same
    `include` rules.
    """
    return net.found("unknown-bottom")


@rule("NET002", "duplicate-top", ERROR, effect=Effect.SETUP_FAILURE)
def duplicate_top(net: Net) -> Iterator[Problem]:
    """Two layers make a blob of one name.

    **In Caffe** this is fatal (`net.cpp`, AppendTop: `produced by multiple sources`), except in place: a top named like the
    bottom of the same position. A blob that is read by several layers is split behind the scenes, and its readers get
    copies with other names; a layer that was meant to work in place on it is then no longer in place.

    **Instead** write another name; or let the layers that read the blob come after the in-place one, where they read its
    result.
    """
    return net.found("duplicate-top")
