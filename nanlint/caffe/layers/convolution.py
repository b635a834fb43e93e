"""Convolution and Deconvolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from nanlint.caffe.initial import known_shape
from nanlint.caffe.layers.base import Blobs, Dim, InPlace, LayerSetup, Param, Shape, at_least
from nanlint.caffe.layers.convolve import PARAM, Geometry, convolved, fork_geometry, geometry, zero_stride
from nanlint.caffe.layers.sizes import axis_of, int32, needs_elements, needs_same_shape, quotient, reshaped
from nanlint.caffe.layers.volumes import volume_window
from nanlint.caffe.layers.weighted import Weighted, with_bias
from nanlint.caffe.layers.weights import checked_inline, weights
from nanlint.caffe.model import count
from nanlint.findings import Effect
from nanlint.numbers.sums import weighted
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class Convolution(Weighted):
    """Top: the axes before `axis`, `num_output`, then the convolved spatial axes (base_conv_layer.cpp)."""

    engine_block = PARAM
    bottoms = at_least(1)
    tops = at_least(1)
    equal_counts = True
    transposed: ClassVar[bool] = False

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.convolution_param
        shape = layer.bottoms[0].shape
        axis = axis_of(layer, 0, param.axis, f"{PARAM}.axis")
        if shape is None or axis is None:
            self.outputs(layer)
            return Blobs((None,) * len(layer.top_names), self.unknown_params(layer))
        if fork_geometry(layer):
            return self.as_in_forks(layer, shape, axis)
        spatial = geometry(layer, len(shape) - axis - 1)
        channels, outputs = shape[axis], self.outputs(layer)
        group = self.group(layer, channels)
        params = self.params(layer, channels, outputs, group, spatial)
        for other in range(1, len(layer.bottoms)):
            needs_same_shape(layer, 0, other)
        sizes = self.output_sizes(layer, shape[axis + 1 :], spatial)
        top = reshaped(layer, (*shape[:axis], outputs, *sizes), PARAM, f"the top of `{layer.name}`")
        if param.bias_term:
            needs_elements(layer, count(tuple(sizes)), PARAM, "the map that the bias is added to")
        return Blobs((top,) * len(layer.top_names), params)

    def as_in_forks(self, layer: LayerSetup, shape: tuple[Dim, ...], axis: int) -> Blobs:
        """Tops and parameters where a fork's own fields say how the kernel moves, as far as they are known."""
        axes = len(shape) - axis - 1
        outputs = self.outputs(layer)
        window = None if self.transposed else volume_window(layer.param.convolution_param, axes)
        if window is None:
            tops: Shape = (*shape[:axis], outputs, *(None,) * axes)
            return Blobs((tops,) * len(layer.top_names), self.unknown_params(layer))
        spatial = Geometry(*window, dilation=(1,) * axes)
        params = self.params(layer, shape[axis], outputs, self.group(layer, shape[axis]), spatial)
        tops = (*shape[:axis], outputs, *self.output_sizes(layer, shape[axis + 1 :], spatial))
        return Blobs((tops,) * len(layer.top_names), params)

    def outputs(self, layer: LayerSetup) -> int:
        """num_output. Raises Refusal unless it is above 0."""
        param = layer.param.convolution_param
        outputs = int32(param.num_output)
        if outputs > 0:
            return outputs
        if param.HasField("num_output"):
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.num_output",
                f"`num_output: {param.num_output}` of `{layer.name}` is not above 0, and Caffe aborts; "
                "write how many channels it shall make",
            )
        raise layer.refuse(
            "missing-field",
            PARAM,
            f"`{layer.name}` has no `num_output`, and Caffe aborts; write how many channels it shall make",
        )

    def group(self, layer: LayerSetup, channels: Dim) -> int:
        """group. Raises Refusal where it does not divide both the channels and num_output, or is 0."""
        param = layer.param.convolution_param
        group = int32(param.group)
        route = f"{PARAM}.group"
        if group == 0:
            raise layer.refuse(
                "division-by-zero",
                route,
                f"`group: 0` of `{layer.name}`: Caffe divides the channels by it and dies of SIGFPE; write at least 1",
            )
        if channels is not None and channels % group:
            raise layer.refuse(
                "shape-mismatch",
                route,
                f"`group: {param.group}` of `{layer.name}` does not divide the {channels} channels of "
                f"`{layer.bottoms[0].name}`, and Caffe aborts; write a group that divides {channels}",
                related=layer.origins(0),
            )
        if int32(param.num_output) % group:
            raise layer.refuse(
                "conflicting-fields",
                route,
                f"`group: {param.group}` of `{layer.name}` does not divide its `num_output: "
                f"{param.num_output}`, and Caffe aborts; write a multiple of the group",
            )
        return group

    def params(
        self, layer: LayerSetup, channels: Dim, outputs: int, group: int, spatial: Geometry
    ) -> tuple[Param, ...]:
        """Weights (outputs x channels/group x kernel, or channels x outputs/group x kernel) and bias."""
        param = layer.param.convolution_param
        first, second = (channels, outputs) if self.transposed else (outputs, channels)
        second = None if second is None else quotient(second, group)
        shape: Shape = (first, second, *spatial.kernel)
        bias: Shape = (outputs,)
        if layer.param.blobs:
            return checked_inline(layer, (shape, bias) if param.bias_term else (shape,))
        made = [weights(layer, shape, param.weight_filler, f"{PARAM}.weight_filler")]
        if param.bias_term:
            made.append(weights(layer, bias, param.bias_filler, f"{PARAM}.bias_filler"))
        return tuple(made)

    def unknown_params(self, layer: LayerSetup) -> tuple[Param, ...]:
        """The parameters where the bottom is unknown."""
        param = layer.param.convolution_param
        made = [Param(None, param.weight_filler, f"{PARAM}.weight_filler")]
        if param.bias_term:
            made.append(Param((int32(param.num_output),), param.bias_filler, f"{PARAM}.bias_filler"))
        return tuple(made)

    def output_sizes(self, layer: LayerSetup, sizes: Sequence[Dim], spatial: Geometry) -> list[Dim]:
        """The sizes of the spatial axes of the top (conv_layer.cpp, compute_output_shape)."""
        return convolved(layer, sizes, spatial)

    def written_in_place(self, param: LayerParameter) -> InPlace:
        """A 1x1 kernel reads what it has just overwritten; others read a copy made by im2col, but the gradient of
        their weights multiplies the output that lies there by then (base_conv_layer.cpp, weight_cpu_gemm).
        """
        conv = param.convolution_param
        kernel = [*conv.kernel_size, conv.kernel_h, conv.kernel_w]
        stride = [*conv.stride, conv.stride_h, conv.stride_w]
        padded = any((*conv.pad, conv.pad_h, conv.pad_w))
        pointwise = max(kernel) == 1 and max(stride) <= 1 and not padded
        return InPlace.WRONG_OUTPUT if pointwise else InPlace.WRONG_GRADIENT

    def values(self, step: Step) -> list[Value]:
        layer, param = step.layer, step.layer.param.convolution_param
        if not step.weights:
            return []
        terms = _kernel_terms(layer)
        shared = any(p.owner for p in layer.params)
        padded = _may_pad(layer)
        tops = []
        for index, x in enumerate(step.bottoms):
            sums = weighted(
                x,
                step.weights[0],
                terms,
                step.top_count(index),
                param.num_output,
                padded=padded,
                covering=_covers(layer),
                independent=not shared,
            )
            tops.append(with_bias(step, sums, 1, param.bias_term))
        return tops

    def gradients(self, step: Step) -> list[Value]:
        if not step.weights:
            return []
        shape = step.layer.params[0].param.shape
        terms = count(shape)
        return [
            weighted(grad, step.weights[0], terms, x.count, 1, padded=True, independent=False)
            for grad, x in zip(step.grads, step.bottoms, strict=False)
        ]

    def map_step(self, layer: Layer) -> float | None:
        param = layer.param.convolution_param
        strides = {param.stride_h, param.stride_w} if param.HasField("stride_h") else set(param.stride) or {1}
        step = strides.pop() if len(strides) == 1 else 0
        return float(step) if step else None


class Deconvolution(Convolution):
    """Top sizes: `stride (size - 1) + extent - 2 pad` (deconv_layer.cpp, compute_output_shape)."""

    transposed = True

    def output_sizes(self, layer: LayerSetup, sizes: Sequence[Dim], spatial: Geometry) -> list[Dim]:
        if 0 in spatial.stride and not layer.param.convolution_param.force_nd_im2col:
            field, message = zero_stride(layer)
            layer.report(
                "division-by-zero",
                f"{PARAM}.{field}",
                f"the net is built, but in the first forward pass {message}",
                effect=Effect.RUN_FAILURE,
            )
        result: list[Dim] = []
        for i, size in enumerate(sizes):
            made = None if size is None else spatial.stride[i] * (size - 1) + spatial.extent(i) - 2 * spatial.pad[i]
            if made is not None and made < 0:
                raise layer.refuse(
                    "negative-size",
                    PARAM,
                    f"`pad: {spatial.pad[i]}` of `{layer.name}` takes {2 * spatial.pad[i]} off the "
                    f"{made + 2 * spatial.pad[i]} that it makes of the {size} of `{layer.bottoms[0].name}` "
                    f"along spatial axis {i}, and Caffe aborts on the negative size; write less `pad`",
                    related=layer.origins(0),
                )
            result.append(made)
        return result

    def fan_in(self, layer: Layer) -> float | None:
        """Channels of a group times the windows that overlap."""
        shape = known_shape(layer.params[0]) if layer.params else None
        channels, window = (shape[0], count(shape, 2)) if shape is not None else (None, None)
        if channels is None or window is None:
            return None
        return channels / max(1, layer.param.convolution_param.group) * window / _strides(layer)

    def map_step(self, layer: Layer) -> float | None:
        step = super().map_step(layer)
        return 1 / step if step else None


class NdConvolution(Convolution):
    """A Convolution whose kernel is written as `kernel_shape` (cudnn_ndconv_layer.cpp of video-caffe)."""

    engine_block = ""

    def map_step(self, layer: Layer) -> float | None:
        return None


class DepthwiseConvolution(Convolution):
    """A Convolution with one group a channel, in code of its own (depthwise_conv_layer.cpp)."""

    engine_block = ""


class ConvolutionDepthwise(DepthwiseConvolution):
    """A convolution of each channel by itself; `num_output` is the number of channels (conv_dw_layer.cpp)."""

    def params(
        self, layer: LayerSetup, channels: Dim, outputs: int, group: int, spatial: Geometry
    ) -> tuple[Param, ...]:
        param = layer.param.convolution_param
        shape: Shape = (channels, 1, *spatial.kernel)
        made = [weights(layer, shape, param.weight_filler, f"{PARAM}.weight_filler")]
        if param.bias_term:
            made.append(weights(layer, (channels,), param.bias_filler, f"{PARAM}.bias_filler"))
        return tuple(made)


def _kernel_terms(layer: Layer) -> int | None:
    """Products a sum: channels a group times the kernel (for Deconvolution at most)."""
    shape = layer.params[0].param.shape if layer.params else None
    return count(shape, 0 if layer.type == "Deconvolution" else 1)


def _may_pad(layer: Layer) -> bool:
    """Whether zeros can stand in for inputs: padding, or a Deconvolution's gaps."""
    param = layer.param.convolution_param
    if layer.type == "Deconvolution" or any(param.pad) or param.pad_h or param.pad_w:
        return True
    top, bottom = layer.tops[0].shape, layer.bottoms[0].shape
    return (
        top is None
        or bottom is None
        or None in top
        or None in bottom
        or any(small == 1 for small in top[param.axis + 1 :])
    )


def _covers(layer: Layer) -> bool:
    """Whether every input is surely read: stride 1, no dilation (a stride can leave a border out)."""
    param = layer.param.convolution_param
    plain = all(stride == 1 for stride in param.stride) and param.stride_h <= 1 and param.stride_w <= 1
    return layer.type == "Deconvolution" or (plain and all(step == 1 for step in param.dilation))


def _strides(layer: Layer) -> int:
    """The product of the strides over the two spatial axes."""
    param = layer.param.convolution_param
    if param.stride_h or param.stride_w:
        return max(1, param.stride_h) * max(1, param.stride_w)
    written = list(param.stride)
    if not written:
        return 1
    return max(1, written[0]) * max(1, written[-1]) if len(written) <= 2 else 1
