"""Blocks that are alike are drawn once."""

from __future__ import annotations

from pathlib import Path

from nanlint.view.fold import folded
from nanlint.view.nodes import picture
from tests.view import nets


def groups(tmp_path: Path, text: str) -> list[tuple[int, int]]:
    return [(len(group.nodes), group.times) for group in folded(picture(nets.built(tmp_path, text))).groups]


def test_equal_blocks_fold_whatever_their_names(tmp_path: Path) -> None:
    assert groups(tmp_path, nets.residual(10)) == [(3, 10)]


def test_a_block_of_another_size_does_not(tmp_path: Path) -> None:
    text = nets.residual(10).replace("num_output: 16 kernel_size: 3", "num_output: 16 pad: 0 kernel_size: 3", 1)
    assert groups(tmp_path, text) == [(3, 9)]


def test_two_blocks_that_take_turns_fold_together(tmp_path: Path) -> None:
    lines, before = [nets.INPUT], "data"
    for step in range(8):
        lines.append(nets.conv(f"c{step}", before, 1 + 2 * (step % 2)))
        before = f"c{step}"
    assert groups(tmp_path, "\n".join(lines)) == [(2, 4)]


def test_a_block_with_a_head_of_its_own_stays_to_be_seen(tmp_path: Path) -> None:
    text = nets.residual(6) + nets.conv("head", "r2a")
    assert (3, 6) not in groups(tmp_path, text)


def test_every_layer_is_kept_by_some_node(tmp_path: Path) -> None:
    net = nets.built(tmp_path, nets.residual(10))
    kept = [layer for layers in folded(picture(net)).layers for layer in layers]
    assert sorted(layer.index for layer in kept) == [layer.index for layer in net.layers]
