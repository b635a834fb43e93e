"""Nets with one wrong number: the search finds the layer and the number that was meant."""

from __future__ import annotations

from pathlib import Path

from nanlint.analysis.mending import Search, sizes_of
from nanlint.analysis.trial import Trial
from nanlint.caffe.load import load_net
from nanlint.caffe.model import Net
from tests.rules.nets import data, layer


def conv(bottom: str, top: str, outputs: int, settings: str = "kernel_size: 1") -> str:
    return layer("Convolution", bottom, top, f"convolution_param {{ num_output: {outputs} {settings} }}")


def mended(folder: Path, *layers: str) -> tuple[str, dict[str, int]]:
    """The layer to be mended, and what to write there, by route."""
    path = folder / "net.prototxt"
    path.write_text("".join(layers))
    net = load_net(str(path))[0]
    return best(net)


def best(net: Net) -> tuple[str, dict[str, int]]:
    target = next(one for one in net.layers if one.refused)
    mends = Search(net, target, lambda trial: target not in trial.refused, sizes=sizes_of(target)).mends()
    change = mends[0].change
    return change.layer.name, dict(change.values)


def test_the_head_that_kept_its_number_of_classes(tmp_path: Path) -> None:
    heads = []
    for name, size, priors in (("a", 8, 4), ("b", 4, 6), ("c", 2, 6)):
        outputs = 20 * 6 if name == "b" else 21 * priors
        heads += [
            data(2, 16, size, size, name=name),
            conv(name, f"conf_{name}", outputs),
            layer("Flatten", f"conf_{name}", f"flat_{name}"),
        ]
    joined = layer("Concat", "flat_a flat_b flat_c", "conf", "concat_param { axis: 1 }")
    shaped = layer("Reshape", "conf", "scores", "reshape_param { shape { dim: 0 dim: -1 dim: 21 } }")
    assert mended(tmp_path, *heads, joined, shaped) == ("conf_b", {"convolution_param.num_output": 126})


def test_the_branch_that_forgot_its_stride(tmp_path: Path) -> None:
    found = mended(
        tmp_path,
        data(2, 16, 8, 8),
        conv("x", "short", 32),
        conv("x", "down", 32, "kernel_size: 1 stride: 2"),
        conv("down", "wide", 32, "kernel_size: 3 pad: 1"),
        layer("Eltwise", "short wide", "sum"),
    )
    assert found == ("short", {"convolution_param.stride": 2})


def test_the_branch_with_other_channels(tmp_path: Path) -> None:
    found = mended(
        tmp_path,
        data(2, 16, 8, 8),
        conv("x", "a", 64),
        conv("x", "b", 64),
        layer("Eltwise", "a b", "sum"),
        conv("sum", "c", 46),
        layer("Eltwise", "sum c", "sum2"),
    )
    assert found == ("c", {"convolution_param.num_output": 64})


def test_a_deconvolution_that_does_not_enlarge_enough(tmp_path: Path) -> None:
    found = mended(
        tmp_path,
        data(1, 3, 64, 64),
        conv("x", "small", 16, "kernel_size: 8 stride: 8"),
        layer("Deconvolution", "small", "up", "convolution_param { num_output: 16 kernel_size: 8 stride: 4 pad: 2 }"),
        layer("Crop", "up x", "cut", "crop_param { axis: 2 }"),
    )
    assert found[0] == "up"
    assert found[1] == {
        "convolution_param.stride": 8,
        "convolution_param.kernel_size[0]": 16,
        "convolution_param.pad[0]": 4,
    } or found[1] == {
        "convolution_param.stride[0]": 8,
        "convolution_param.kernel_size[0]": 16,
        "convolution_param.pad[0]": 4,
    }


def test_what_lets_all_later_layers_through_is_preferred(tmp_path: Path) -> None:
    found = mended(
        tmp_path,
        data(2, 16, 8, 8),
        conv("x", "a", 64),
        conv("x", "b", 32),
        layer("Eltwise", "a b", "sum"),
        conv("x", "c", 64),
        layer("Eltwise", "sum c", "sum2"),
    )
    assert found == ("b", {"convolution_param.num_output": 64})


def test_a_number_at_the_end_of_what_a_field_holds_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(data(2, 6) + layer("Slice", "x", "y z", "slice_param { slice_dim: 4294967295 }"))
    net = load_net(str(path))[0]
    target = next(one for one in net.layers if one.refused)
    Search(net, target, lambda trial: target not in trial.refused, sizes=sizes_of(target)).mends()


def test_a_layer_without_the_bottoms_that_it_needs_is_refused_in_a_trial_too(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(data(2, 6) + layer("Permute", "", "y") + layer("InnerProduct", "x y", "z"))
    net = load_net(str(path))[0]
    assert net.layers[1] in Trial(net, {net.layers[1]: net.layers[1].param}).run().refused
