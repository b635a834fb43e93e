"""What shows that a net begins with trained weights, though its solver names none."""

from __future__ import annotations

from nanlint.caffe.model import Layer, Net


def fine_tuned(net: Net) -> str | None:
    """What shows that a net is made for trained weights, which the command line or a script loads."""
    for layer in net.layers:
        if layer.param.batch_norm_param.use_global_stats:
            return f"`{layer.name}` normalises by stored statistics, which only trained weights bring"
        if without_filler(layer):
            return f"`{layer.name}` has no weight filler, so its weights are those of a trained net"
    return None


def without_filler(layer: Layer) -> bool:
    """Whether the weights of a layer begin at 0, as they do where nothing fills them."""
    if not layer.facts.multiplies or not layer.params:
        return False
    filler = layer.params[0].param.filler
    return filler is None or (filler.type == "constant" and not filler.value)


def partly_frozen(net: Net) -> bool:
    """Whether layers with weights are frozen, or have no filler: nobody would train such a net from the beginning."""
    weighted = [layer for layer in net.layers if layer.facts.multiplies and layer.params]
    return any(without_filler(layer) or layer.params[0].lr_mult == 0 for layer in weighted)
