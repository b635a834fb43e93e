"""Prototxts of published nets that are regular enough to write down as loops."""

from __future__ import annotations


def _input(size: int) -> str:
    shape = f"shape {{ dim: 1 dim: 3 dim: {size} dim: {size} }}"
    return f'layer {{ name: "data" type: "Input" top: "data" input_param {{ {shape} }} }}\n'


def _layer(name: str, type_name: str, bottom: str, settings: str = "", top: str = "") -> str:
    return (
        f'layer {{ name: "{name}" type: "{type_name}" bottom: "{bottom}" top: "{top or name}" {settings} }}\n'
    )


def _conv(name: str, bottom: str, outputs: int, kernel: int, more: str = "") -> str:
    return _layer(
        name,
        "Convolution",
        bottom,
        f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} {more} }}",
    )


def _fc(name: str, bottom: str, outputs: int) -> str:
    return _layer(name, "InnerProduct", bottom, f"inner_product_param {{ num_output: {outputs} }}")


def _pool(name: str, bottom: str, settings: str) -> str:
    return _layer(name, "Pooling", bottom, f"pooling_param {{ {settings} }}")


def _norm(blob: str, name: str, top: str = "") -> str:
    """Batch normalisation with its scale and bias, then ReLU, on a blob (in place unless `top` is named)."""
    top = top or blob
    return (
        _layer(f"{name}/bn", "BatchNorm", blob, top=top)
        + _layer(f"{name}/scale", "Scale", top, "scale_param { bias_term: true }", top)
        + _layer(f"{name}/relu", "ReLU", top, top=top)
    )


def vgg16() -> str:
    """Simonyan and Zisserman, arXiv:1409.1556, configuration D."""
    text, last = _input(224), "data"
    for block, (convs, outputs) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1):
        for i in range(1, convs + 1):
            text += _conv(f"conv{block}_{i}", last, outputs, 3, "pad: 1")
            last = f"conv{block}_{i}"
        text += _pool(f"pool{block}", last, "kernel_size: 2 stride: 2")
        last = f"pool{block}"
    return text + _fc("fc6", last, 4096) + _fc("fc7", "fc6", 4096) + _fc("fc8", "fc7", 1000)


def mobilenet() -> str:
    """Howard et al., arXiv:1704.04861, table 1, with a 1x1 convolution as classifier."""
    text = (
        _input(224)
        + _conv("conv1", "data", 32, 3, "pad: 1 stride: 2 bias_term: false")
        + _norm("conv1", "conv1")
    )
    last, channels = "conv1", 32
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for i, (outputs, stride) in enumerate(plan, start=2):
        deep, point = f"conv{i}/dw", f"conv{i}/sep"
        text += _conv(deep, last, channels, 3, f"pad: 1 stride: {stride} group: {channels} bias_term: false")
        text += _norm(deep, deep) + _conv(point, deep, outputs, 1, "bias_term: false") + _norm(point, point)
        last, channels = point, outputs
    text += _pool("pool", last, "pool: AVE global_pooling: true")
    return text + _conv("fc", "pool", 1000, 1)


def densenet121() -> str:
    """Huang et al., arXiv:1608.06993, table 1, growth rate 32."""
    growth, channels = 32, 64
    text = (
        _input(224)
        + _conv("conv1", "data", channels, 7, "pad: 3 stride: 2 bias_term: false")
        + _norm("conv1", "conv1")
    )
    text += _pool("pool1", "conv1", "kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR")
    last = "pool1"
    for block, layers in enumerate((6, 12, 24, 16), start=1):
        for i in range(layers):
            name = f"dense{block}_{i}"
            text += _norm(last, f"{name}/x1", f"{name}/a") + _conv(
                f"{name}/b", f"{name}/a", 4 * growth, 1, "bias_term: false"
            )
            text += _norm(f"{name}/b", f"{name}/x2") + _conv(
                f"{name}/c", f"{name}/b", growth, 3, "pad: 1 bias_term: false"
            )
            text += _layer(name, "Concat", last, f'bottom: "{name}/c"')
            last, channels = name, channels + growth
        text += _norm(last, f"end{block}", f"end{block}")
        last = f"end{block}"
        if block < 4:
            channels //= 2
            text += _conv(f"down{block}", last, channels, 1, "bias_term: false")
            text += _pool(f"pool{block + 1}", f"down{block}", "pool: AVE kernel_size: 2 stride: 2")
            last = f"pool{block + 1}"
    return text + _pool("pool6", last, "pool: AVE global_pooling: true") + _fc("fc", "pool6", 1000)
