"""Regions on the wrong scale in detectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.model import Layer
from nanlint.rules.detection import region_scale
from tests.rules.nets import data, last, layer, train_net


def regions(folder: Path, settings: str, strides: str = "2 2 2 2") -> Layer:
    text, below = data(1, 3, 64, 64) + data(8, 5, name="rois"), "x"
    for i, stride in enumerate(strides.split()):
        text += layer("Pooling", below, f"p{i}", f"pooling_param {{ kernel_size: 2 stride: {stride} }}")
        below = f"p{i}"
    settings = f"roi_pooling_param {{ pooled_w: 2 pooled_h: 2 {settings} }}"
    return last(train_net(folder, text + layer("ROIPooling", f"{below} rois", "roi", settings)))


@pytest.mark.parametrize(
    ("settings", "strides", "problems"),
    [
        ("spatial_scale: 0.0625", "2 2 2 2", 0),
        ("spatial_scale: 0.0625", "2 2 2", 1),
        ("spatial_scale: 0.03125", "2 2 2 2", 1),
        ("", "2", 1),
    ],
)
def test_regions_on_the_scale_of_the_map(tmp_path: Path, settings: str, strides: str, problems: int) -> None:
    assert len([*region_scale(regions(tmp_path, settings, strides))]) == problems


def test_the_message_about_the_scale_names_both_numbers(tmp_path: Path) -> None:
    [problem] = region_scale(regions(tmp_path, "spatial_scale: 0.125"))
    assert problem.message == (
        "`spatial_scale: 0.125` of `roi` says that the image is 8 times as large as `p3`, but the strides below "
        "multiply to 16, so regions are pooled at the wrong place; write `spatial_scale: 0.0625`"
    )


def test_no_scale_is_known_above_an_input_that_is_missing(tmp_path: Path) -> None:
    settings = "roi_pooling_param { pooled_w: 2 pooled_h: 2 spatial_scale: 0.5 }"
    net = train_net(tmp_path, data(8, 5, name="rois") + layer("ROIPooling", "gone rois", "roi", settings))
    assert not [*region_scale(last(net))]
