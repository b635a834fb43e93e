"""Python: a layer written in Python, whose tops nanlint cannot know."""

from __future__ import annotations

from nanlint.caffe.layers.base import Arity, Blobs, LayerSetup, LayerType


class Python(LayerType):
    """Any bottoms and tops; module and class must be named (layer_factory.cpp, GetPythonLayer)."""

    bottoms = Arity()
    tops = Arity()

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.python_param
        for field, value in (("module", param.module), ("layer", param.layer)):
            if not value:
                raise layer.refuse(
                    "missing-field",
                    f"python_param.{field}",
                    f"`{layer.name}` names no `{field}`, and Caffe aborts because it cannot import it; write "
                    "its name",
                )
        return Blobs(tuple(layer.given.get(name) for name in layer.top_names))
