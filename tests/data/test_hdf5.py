"""The files of an HDF5 list, line by line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nanlint.data.gather import merged
from nanlint.data.request import Request
from nanlint.data.worker import answer
from tests.data.sources import account


def write(folder: Path, name: str, rows: int = 5, **datasets: Any) -> None:
    with h5py.File(folder / name, "w") as file:
        for key, value in {"data": np.ones((rows, 2)), "label": np.arange(rows), **datasets}.items():
            file.create_dataset(key, data=value)


def listed(folder: Path, *lines: str) -> Path:
    path = folder / "train.txt"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_rows_of_all_files(tmp_path: Path) -> None:
    write(tmp_path, "a.h5", 3)
    write(tmp_path, "b.h5", 4)
    found = account("hdf5", listed(tmp_path, "a.h5", "b.h5"))
    assert (found.read, found.records, found.whole) == (7, 7, True)
    assert found.tops[1].values == {0.0: 2, 1.0: 2, 2.0: 2, 3.0: 1}


@pytest.mark.parametrize("parts", [2, 5, 9])
def test_parts_give_the_same_account(tmp_path: Path, parts: int) -> None:
    write(tmp_path, "a.h5", 6, data=np.linspace(-3, 9, 12).reshape(6, 2))
    write(tmp_path, "b.h5", 4, data=np.array([[1, 2], [3, np.nan], [5, 6], [7, 8]]))
    tops = ("data", "label")
    path = listed(tmp_path, "a.h5", "gone.h5", "b.h5")
    whole = Request("hdf5", str(path), str(tmp_path), tops, frozenset(tops))
    pieces = [answer(replace(whole, part=part, parts=parts))[0] for part in range(parts)]
    assert merged(pieces).account(whole, 0.0) == answer(whole)[0].account(whole, 0.0)


@pytest.mark.parametrize(
    ("datasets", "kind"),
    [
        ({"label": np.array([True] * 5)}, "dtype"),
        ({"label": np.array([b"a"] * 5)}, "dtype"),
        ({"label": np.zeros(4)}, "rows-differ"),
        ({"label": 3}, "no-axes"),
        ({"data": np.full((5, 2), 1e300)}, "non-finite"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, datasets: dict[str, Any], kind: str) -> None:
    write(tmp_path, "a.h5", **datasets)
    first = account("hdf5", listed(tmp_path, "", "a.h5")).faults[0]
    assert (first.kind, first.where) == (kind, "line 2, `a.h5`")


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write(tmp_path, "secret.h5")
    with h5py.File(inside / "a.h5", "w") as file:
        file["data"] = h5py.ExternalLink("../secret.h5", "data")
        file.create_dataset("label", data=np.arange(5))
    assert [one.kind for one in account("hdf5", listed(inside, "a.h5")).faults] == ["unreadable"]


def test_volumes_have_any_number_of_axes(tmp_path: Path) -> None:
    write(tmp_path, "a.h5", data=np.zeros((5, 1, 2, 3, 4)))
    assert account("hdf5", listed(tmp_path, "a.h5")).tops[0].shape == (1, 2, 3, 4)
