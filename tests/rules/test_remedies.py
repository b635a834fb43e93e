"""What is said of a net that cannot be built names the setting to be mended, and mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.findings import Applicability, Finding, Severity
from nanlint.text.edits import edited
from tests.rules.nets import data, layer


def findings(folder: Path, net: str, settings: str = "max_iter: 1") -> list[Finding]:
    (folder / "net.prototxt").write_text(net)
    (folder / "solver.prototxt").write_text(f'net: "net.prototxt"\nbase_lr: 0.1\nlr_policy: "fixed"\n{settings}\n')
    return list(engine.check([str(folder / "solver.prototxt")]).findings)


def only(found: list[Finding], code: str) -> Finding:
    (one,) = (finding for finding in found if finding.code == code)
    return one


DATA = """layer { name: "data" type: "Data" top: "data" top: "label"
  data_param { source: "x" batch_size: 8 backend: LMDB } transform_param { crop_size: 28 } }
"""
LOSS = 'layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "label" top: "loss" }\n'
IP = layer("InnerProduct", "data", "ip", "inner_product_param { num_output: 10 }")


def test_a_loss_of_the_wrong_kind_for_class_labels(tmp_path: Path) -> None:
    mismatch = only(findings(tmp_path, DATA + IP + LOSS), "SET005")
    assert mismatch.message.endswith(f'write `type: "SoftmaxWithLoss"` in `loss` ({tmp_path}/net.prototxt:4)')
    assert mismatch.fix is not None
    assert mismatch.fix.applicability is Applicability.UNSAFE
    assert 'type: "SoftmaxWithLoss"' in edited((tmp_path / "net.prototxt").read_text(), mismatch.fix.edits)


@pytest.mark.parametrize("crop", [20, 32])
def test_a_crop_that_differs_between_the_phases(tmp_path: Path, crop: int) -> None:
    train = DATA.replace('top: "label"', 'top: "label" include { phase: TRAIN }')
    test = DATA.replace('top: "label"', 'top: "label" include { phase: TEST }').replace("28", str(crop))
    loss = LOSS.replace("Euclidean", "SoftmaxWith")
    conv = layer("Convolution", "data", "conv", "convolution_param { num_output: 4 kernel_size: 5 }")
    above = conv + IP.replace('bottom: "data"', 'bottom: "conv"') + loss
    settings = "max_iter: 1\ntest_iter: 1\ntest_interval: 1"
    mismatch = only(findings(tmp_path, train + test + above, settings), "NET004")
    assert "write `crop_size: 28` in `data`" in mismatch.message
    assert mismatch.fix is not None
    assert edited((tmp_path / "net.prototxt").read_text(), mismatch.fix.edits) == (
        train + test.replace(str(crop), "28") + above
    )


def test_a_finding_at_the_setting_to_be_mended_explains_the_mismatch(tmp_path: Path) -> None:
    net = (
        data(1, 8, 32, 32)
        + layer("Pooling", "x", "short", "pooling_param { pool: MAX kernel_size: 1 stride: 2 }")
        + layer("Convolution", "x", "down", "convolution_param { num_output: 8 kernel_size: 3 pad: 1 stride: 2 }")
        + layer("Eltwise", "short down", "sum")
    )
    found = findings(tmp_path, net)
    window, mismatch = only(found, "POOL002"), only(found, "SET005")
    assert mismatch.explained_by == (window.reference,)
    assert window.fix is not None
    assert window.fix.title == "write `kernel_size: 2`"


def unsized(name: str) -> str:
    return f"""layer {{ name: "{name}" type: "Data" top: "{name}"
  data_param {{ source: "{name}" batch_size: 1 backend: LMDB }} }}
"""


def enlarged(factor: int) -> str:
    """Scores at an eighth of an image of unknown size, enlarged and cut to its size."""
    kernel = f"kernel_size: {2 * factor} stride: {factor}"
    return (
        unsized("data")
        + unsized("label")
        + layer("Convolution", "data", "score", "convolution_param { num_output: 21 kernel_size: 8 stride: 8 }")
        + layer("Deconvolution", "score", "up", f"convolution_param {{ num_output: 21 group: 21 {kernel} }}")
        + layer("Crop", "up data", "cut", "crop_param { axis: 2 offset: 0 }")
        + layer("SoftmaxWithLoss", "cut label", "loss")
    )


def test_what_fits_no_size_of_image(tmp_path: Path) -> None:
    mismatch = only(findings(tmp_path, enlarged(4)), "SET005")
    assert mismatch.message.endswith(f"write `stride: 8 kernel_size: 16` in `up` ({tmp_path}/net.prototxt:6)")
    assert mismatch.severity is Severity.WARNING


def test_what_fits_some_size_of_image(tmp_path: Path) -> None:
    assert [one for one in findings(tmp_path, enlarged(8)) if one.code == "SET005"] == []
