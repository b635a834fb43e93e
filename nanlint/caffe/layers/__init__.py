"""The layer types that nanlint knows: one class each, imported when a net first uses it."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from nanlint.caffe.layers.base import LayerType

# type name in the prototxt -> module below this package; the class has the type's name
MODULES: dict[str, str] = {
    "InnerProduct": "inner_product",
    "Pooling": "pooling",
    "ReLU": "relu",
}


@cache
def layer_type(name: str) -> LayerType | None:
    """What nanlint knows of a type; None for a type that it does not know."""
    module = MODULES.get(name)
    if module is None:
        return None
    found: type[LayerType] = getattr(import_module(f"{__name__}.{module}"), name)
    return found()
