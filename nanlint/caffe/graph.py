"""A net as a networkx digraph, for what is more than a walk from layer to layer: paths, cycles, cuts,
components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx

from nanlint.caffe.model import count

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net


def layer_node(layer: Layer) -> str:
    """The node of a layer; names may repeat, so its index is part of it."""
    return f"layer:{layer.index}:{layer.name}"


def blob_node(blob: Blob) -> str:
    """The node of one version of a blob."""
    return f"blob:{blob.producer.index}.{blob.top_index}:{blob.name}"


def digraph(net: Net) -> networkx.DiGraph[str]:
    """Layers and versions of blobs; edges go from a layer to its tops and from a blob to its readers.

    Node attributes: `kind` ("layer" or "blob"), `name`, `label` and the object itself as `layer` or `blob`;
    layers also `type`, `params` (numbers in all parameters, None if unknown) and `runs_backward`; blobs
    `shape`, `version` and `loss_weight`. Edge attributes: `index`, the position of the bottom or top.
    """
    graph: networkx.DiGraph[str] = networkx.DiGraph(name=net.param.name, phase=net.phase)
    for layer in net.layers:
        sizes = [count(param.param.shape) for param in layer.params]
        known = [size for size in sizes if size is not None]
        graph.add_node(
            layer_node(layer),
            kind="layer",
            name=layer.name,
            label=f"{layer.name} ({layer.type})",
            layer=layer,
            type=layer.type,
            params=sum(known) if len(known) == len(sizes) else None,
            runs_backward=layer.runs_backward,
        )
    for blob in net.blobs:
        weights = blob.producer.loss_weights
        graph.add_node(
            blob_node(blob),
            kind="blob",
            name=blob.name,
            label=blob.name,
            blob=blob,
            shape=blob.shape,
            version=blob.version,
            loss_weight=weights[blob.top_index] if blob.top_index < len(weights) else 0.0,
        )
        graph.add_edge(layer_node(blob.producer), blob_node(blob), index=blob.top_index)
        for reader, index in blob.consumers:
            graph.add_edge(blob_node(blob), layer_node(reader), index=index)
    return graph
