"""What an editor asks of open files: definitions, names, proposals, hovers, outlines, actions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import networkx
import pytest

from nanlint.api import load
from nanlint.caffe.model import Net
from nanlint.engine.files import Kind as FileKind
from nanlint.findings import Edit
from nanlint.server.actions import actions, fix_all
from nanlint.server.completion import complete
from nanlint.server.hover import hover
from nanlint.server.names import Kind, names
from nanlint.server.navigation import definition, references, rename
from nanlint.server.outline import folds, hints, symbols
from nanlint.server.project import Project, lint
from nanlint.text.edits import edited
from nanlint.text.source import Place, Source

SOLVER = """net: "net.prototxt"
base_lr: 0.1
lr_policy: "step"
gamma: 0.1
stepsize: 50
max_iter: 100
snapshot_prefix: "x"
"""
NET = """name: "small"
layer {
  name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 4 dim: 3 dim: 8 dim: 8 } shape { dim: 4 } }
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 5 kernel_size: 3 weight_filler { type: "xavier" } }
}
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
"""


class Editor:
    """A solver and its net, open in an editor."""

    def __init__(self, folder: Path, net: str = NET) -> None:
        self.project = Project()
        self.solver, self.net = str(folder / "solver.prototxt"), str(folder / "net.prototxt")
        for path, text in ((self.solver, SOLVER), (self.net, net)):
            Path(path).write_text(text)
            self.project.opened(path, text)
        self.run()

    def run(self) -> None:
        for root in (self.solver, self.net):
            self.project.keep(root, lint(root, dict(self.project.texts)))

    def type(self, net: str) -> None:
        self.project.opened(self.net, net)

    def at(self, word: str, after: int = 0) -> int:
        return self.project.texts[self.net].index(word) + after


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    return Editor(tmp_path)


class TestDefinition:
    def test_of_a_bottom_is_the_top_that_made_it_last(self, editor: Editor) -> None:
        (target,) = definition(editor.project, editor.net, editor.at('bottom: "conv" top: "fc"', 9))
        assert editor.project.texts[editor.net][: target.span.start].endswith('"ReLU" bottom: "conv" ')

    def test_of_what_a_solver_names_is_the_net(self, editor: Editor) -> None:
        (target,) = definition(editor.project, editor.solver, SOLVER.index("net.proto"))
        assert Path(target.path) == Path(editor.net)

    def test_knows_the_text_as_it_is_typed(self, editor: Editor) -> None:
        editor.type("# one more line\n" + NET)
        (target,) = definition(editor.project, editor.net, editor.at('bottom: "data"', 9))
        assert editor.project.texts[editor.net][target.span.start :].startswith('top: "data" top: "label"')

    def test_of_every_bottom_of_a_large_net(self, shared: Path) -> None:
        path = str(shared / "corpus/KaimingHe+deep-residual-networks/prototxt/ResNet-152-deploy.prototxt")
        project = Project()
        project.opened(path, Path(path).read_text())
        document = project.document(path)
        assert document is not None
        by_route = {layer.origin.route: layer for layer in project.nets(path)[0].layers}
        bottoms = [one for one in names(document) if one.kind is Kind.BLOB and not one.makes]
        assert len(bottoms) > 600
        for name in bottoms:
            made = {blob.made_at.span for blob in by_route[name.layer].bottoms if blob.name == name.text}
            assert {target.span for target in definition(project, path, name.value.start + 1)} == made


class TestNames:
    def test_every_place_of_a_blob(self, editor: Editor) -> None:
        assert len(references(editor.project, editor.net, editor.at('top: "conv"', 6))) == 4

    def test_a_blob_under_another_name_makes_the_same_net(self, editor: Editor) -> None:
        found = rename(editor.project, editor.net, editor.at('top: "conv"', 6), "features")
        assert found is not None
        assert len(found.spans) == 4
        assert found.text == '"features"'

    @pytest.mark.parametrize(("name", "word"), [("data", "already"), ("", "at least one"), ('a"b', "without quotes")])
    def test_a_name_that_cannot_be(self, editor: Editor, name: str, word: str) -> None:
        found = rename(editor.project, editor.net, editor.at('top: "conv"', 6), name)
        assert found is not None
        assert word in found.refusal


class TestCompletion:
    @pytest.mark.parametrize(
        ("typed", "label"),
        [
            ("pooling_param { str", "stride"),
            ("pooling_param { pool: ", "AVE"),
            ('type: "Poo', "Pooling"),
            ('bottom: "', "conv"),
            ("convolution_param { bias_term: ", "true"),
            ('convolution_param { weight_filler { type: "', "msra"),
        ],
    )
    def test_proposes_what_fits(self, editor: Editor, typed: str, label: str) -> None:
        editor.type(f"{NET}layer {{\n  {typed}")
        labels = [item.label for item in complete(editor.project, editor.net, len(editor.project.texts[editor.net]))]
        assert label in labels

    def test_puts_the_proposal_in_place_of_what_was_typed(self, editor: Editor) -> None:
        editor.type(f"{NET}layer {{ pool")
        items = complete(editor.project, editor.net, len(editor.project.texts[editor.net]))
        (pooling,) = [item for item in items if item.label == "pooling_param"]
        assert editor.project.texts[editor.net][pooling.start :] == "pool"
        assert pooling.documentation

    def test_quotes_a_string_that_has_none(self, editor: Editor) -> None:
        editor.type(f"{NET}layer {{ type: ")
        items = complete(editor.project, editor.net, len(editor.project.texts[editor.net]))
        assert '"Pooling"' in [item.text for item in items]

    def test_says_nothing_in_a_comment(self, editor: Editor) -> None:
        editor.type(f"{NET}# layer {{ str")
        assert complete(editor.project, editor.net, len(editor.project.texts[editor.net])) == []

    def test_solvers_have_policies(self, editor: Editor) -> None:
        text = SOLVER + 'lr_policy: "'
        editor.project.opened(editor.solver, text)
        assert "poly" in [item.label for item in complete(editor.project, editor.solver, len(text))]


class TestHover:
    def shown(self, editor: Editor, word: str, after: int = 1) -> str:
        found = hover(editor.project, editor.net, editor.at(word, after))
        assert found is not None
        return found.text

    def test_a_layer_shows_its_shapes_and_sizes(self, editor: Editor) -> None:
        text = self.shown(editor, '"conv" type', 1)
        assert "conv 4x5x6x6" in text
        assert "5x3x3x3" in text

    def test_a_field_shows_its_documentation_and_default(self, editor: Editor) -> None:
        text = self.shown(editor, "kernel_size")
        assert "**kernel_size**" in text
        assert "uint32" in text

    def test_a_blob_shows_its_shape(self, editor: Editor) -> None:
        assert "4x5x6x6" in self.shown(editor, 'bottom: "conv" top: "fc"', 9)

    def test_a_rate_shows_the_schedule(self, editor: Editor) -> None:
        found = hover(editor.project, editor.solver, SOLVER.index("base_lr") + 1)
        assert found is not None
        assert "| 99 | 0.01 |" in found.text

    def test_nothing_shows_nothing(self, editor: Editor) -> None:
        editor.type(NET + "\n\n")
        assert hover(editor.project, editor.net, len(NET) + 1) is None


def test_a_file_at_a_glance(editor: Editor) -> None:
    document = editor.project.document(editor.net)
    assert document is not None
    assert [one.name for one in symbols(document)] == ["name", "data", "conv", "relu", "fc", "loss"]
    assert len(folds(document)) == 3
    shown = [one.text for one in hints(editor.project, editor.net)]
    assert shown[:3] == ["4x3x8x8", "4", "4x5x6x6"]


class TestFindings:
    WRONG = NET.replace("num_output: 5", "num_outputs: 5").replace("num_output: 3", "num_outputs: 3")

    def test_of_a_net_come_through_its_open_solver_once(self, tmp_path: Path) -> None:
        editor = Editor(tmp_path, self.WRONG)
        found = editor.project.findings(editor.net)
        keys = [(one.code, one.place.span, one.message) for one in found]
        assert found
        assert len(keys) == len(set(keys))

    def test_a_changed_net_concerns_its_solver_too(self, editor: Editor) -> None:
        assert set(editor.project.roots(editor.net)) == {editor.net, editor.solver}

    def test_go_with_what_is_closed(self, tmp_path: Path) -> None:
        editor = Editor(tmp_path, self.WRONG)
        for path in (editor.net, editor.solver):
            editor.project.closed(path)
        assert editor.project.findings(editor.net) == []

    def test_have_their_fix_and_a_comment_that_hides_them(self, tmp_path: Path) -> None:
        editor = Editor(tmp_path, self.WRONG)
        document = editor.project.document(editor.net)
        assert document is not None
        start = self.WRONG.index("num_outputs: 5")
        offered = actions(editor.project.findings(editor.net), document.source, start, start + 3)
        (hide,) = [one for one in offered if one.title.startswith("ignore TXT")][:1]
        editor.type(edited(self.WRONG, hide.edits))
        editor.run()
        assert hide.finding is not None
        lines = [one.place.start.line for one in editor.project.findings(editor.net) if one.code == hide.finding.code]
        assert self.WRONG.count("\n", 0, start) + 2 not in lines

    def test_are_mended_all_at_once(self, tmp_path: Path) -> None:
        editor = Editor(tmp_path, self.WRONG)
        edits = [one for one in fix_all(editor.project.findings(editor.net)) if one.place.source.path == editor.net]
        assert edited(self.WRONG, edits) == NET


@pytest.mark.slow
def test_a_net_typed_letter_by_letter_is_never_a_crash(tmp_path: Path, shared: Path) -> None:
    text = (shared / "corpus/BVLC+caffe/examples/mnist/lenet_consolidated_solver.prototxt").read_text()
    project, path = Project(), str(tmp_path / "typed.prototxt")
    for length in (*range(1500), *range(1500, len(text), 5)):
        project.opened(path, text[:length])
        project.keep(path, ran := lint(path, dict(project.texts)))
        assert not ran.failures
        assert len(project.findings(path)) <= 30


@pytest.mark.slow
def test_real_nets_keep_their_graph_under_other_names(shared: Path) -> None:
    for path in sorted((shared / "corpus").rglob("*.prototxt"))[::12]:
        project = Project()
        text = Source.decode(str(path), path.read_bytes()).text
        project.opened(str(path), text)
        document = project.document(str(path))
        assert document is not None
        if document.faults or project.kind(str(path)) is not FileKind.NET:
            continue
        for name in {one.text: one for one in names(document) if one.kind is Kind.BLOB}.values():
            found = rename(project, str(path), name.value.start + 1, "another_name")
            assert found is not None
            edits = [Edit(Place(document.source, span), found.text) for span in found.spans]
            changed = load(path, overlays={str(path): edited(text, edits)})
            for before, after in zip(load(path).nets, changed.nets, strict=True):
                assert networkx.utils.graphs_equal(_shape(before), _shape(after, {"another_name": name.text}))
            break


def _shape(net: Net, renamed: Mapping[str, str] | None = None) -> networkx.DiGraph[str]:
    """The graph of a net by positions and names, with names put back."""
    back = renamed or {}
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for layer in net.layers:
        for index, blob in enumerate(layer.bottoms):
            made = f"{blob.producer.index} {back.get(blob.name, blob.name)}"
            graph.add_edge(made, f"layer {layer.index}", index=index)
    return graph


def test_half_a_net_is_never_a_crash(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    for length in range(0, len(NET), 7):
        editor.type(NET[:length])
        editor.run()
        hints(editor.project, editor.net)
        hover(editor.project, editor.net, length)
        complete(editor.project, editor.net, length)
