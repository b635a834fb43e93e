from __future__ import annotations

import sys

import networkx
import pytest

import nanlint
import nanlint.api
from tests.conftest import PROJECT

LENET = PROJECT / "examples" / "stories" / "poly-without-max-iter"


def test_a_solver_is_loaded_with_its_nets() -> None:
    loaded = nanlint.load(LENET / "good" / "solver.prototxt", inputs={"data": (64, 1, 28, 28)})
    assert loaded.solver is not None
    assert loaded.solver.param.base_lr == pytest.approx(0.01)
    train, test = loaded.nets
    assert (train.phase, test.phase) == ("TRAIN", "TEST")
    assert {blob.name: blob.shape for blob in train.blobs}["pool2"] == (64, 50, 4, 4)


def test_a_net_has_a_graph_of_layers_and_blobs() -> None:
    loaded = nanlint.load(LENET / "net.prototxt")
    assert loaded.solver is None
    graph = loaded.nets[0].graph
    kinds = {data["name"]: data["kind"] for _, data in graph.nodes(data=True)}
    assert kinds["mnist"] == "layer"
    assert kinds["ip1"] == "blob"
    assert networkx.is_directed_acyclic_graph(graph)


def test_findings_are_objects() -> None:
    report = nanlint.check(LENET / "bad", select=["poly-without-max-iter"])
    assert [finding.code for finding in report.findings] == ["LR001"]
    assert report.findings[0].place.start.line == 7


def test_a_missing_file_is_an_oserror() -> None:
    with pytest.raises(OSError, match=r"no such file"):
        nanlint.load("missing.prototxt")


def test_the_names_that_stay() -> None:
    assert all(getattr(nanlint, name) is getattr(nanlint.api, name) for name in nanlint.__all__)
    assert nanlint.__all__ == nanlint.api.__all__


def test_unknown_attributes_are_unknown() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'lint'"):
        _ = nanlint.lint


def test_importing_nanlint_imports_little() -> None:
    import subprocess

    code = "import sys, nanlint; print(sorted(m for m in sys.modules if m.startswith(('nanlint', 'google'))))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert done.stdout.strip() == "['nanlint']"
