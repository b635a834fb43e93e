"""What is known of a layer type stands with the type: elsewhere few lists name types, and each rule has its tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from nanlint.caffe.layers import BVLC_TYPES, FORK_MODULES, MODULES
from nanlint.rules.registry import rules
from tests.conftest import PROJECT

PACKAGE = PROJECT / "nanlint"
TYPES = set(MODULES) | set(FORK_MODULES)
MOST_LISTS = 24
"""The number only falls: state a fact in `LayerType`, and ask `layer.facts` for it."""
MOST_MODULES = 5
ONLY_EXAMPLES = frozenset(
    "annotated data_labels data_means data_shapes data_values databases hdf5_files image_lists".split()
)
"""Modules of rules that the examples alone test, with the data that each makes."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text())


def named_together(node: ast.AST) -> list[str]:
    """The layer types that a tuple, list, set, mapping or text of words names."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        parts = node.elts
    elif isinstance(node, ast.Dict):
        parts = [key for key in node.keys if key is not None]
    else:
        words = node.value.split() if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
        return words if all(word in TYPES for word in words) else []
    return [str(one.value) for one in parts if isinstance(one, ast.Constant) and one.value in TYPES]


def test_few_lists_outside_the_layers_name_types() -> None:
    lists = [
        f"{path}:{node.lineno} {', '.join(named_together(node))}"
        for path, tree in modules()
        if path.parts[:2] != ("caffe", "layers")
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and len(named_together(node)) > 1
    ]
    assert len(lists) <= MOST_LISTS, "\n".join(lists)


def test_few_modules_know_a_type() -> None:
    """A module knows a type if it names it, or defines its class."""
    knowing: dict[str, set[Path]] = {name: set() for name in BVLC_TYPES}
    for path, tree in modules():
        for node in ast.walk(tree):
            words = node.value.split() if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
            names = words if all(word in TYPES for word in words) else []
            for name in [node.name] if isinstance(node, ast.ClassDef) else names:
                if name in knowing:
                    knowing[name].add(path)
    counts = {name: len(paths) for name, paths in knowing.items()}
    assert median(counts.values()) <= MOST_MODULES, sorted(counts.items(), key=lambda item: -item[1])[:10]


def test_every_module_of_rules_has_a_test_module_of_its_name() -> None:
    defining = {rule.check.__module__.rpartition(".")[2] for rule in rules()}
    tested = {path.stem.removeprefix("test_") for path in (PROJECT / "tests" / "rules").glob("test_*.py")}
    assert defining - tested <= ONLY_EXAMPLES
