"""Databases as stores: empty, cut, of the other kind; and how they stand to the batch and to each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.caffe.model import TEST
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.feeding import seen
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.data.beside import Beside, Source

_DATABASES = ("lmdb", "leveldb")
_OVERLAP = 0.05


@rule("DAT501", "empty-database", ERROR, effect=Effect.RUN_FAILURE)
def empty_database(source: Source) -> Iterator[Problem]:
    """A database holds no record.

    **In Caffe** the first record is read without asking whether there is one (data_layer.cpp, DataLayerSetUp;
    db_lmdb.hpp): what is then in memory decides between `datum_channels > 0`, `bad_alloc` and a signal.

    **Instead** look at how it was made: `convert_imageset` passes over images that it cannot open.
    """
    layer, account = source.layer, source.account
    if source.kind not in _DATABASES or layer is None or account.faults or account.records != 0:
        return
    yield finding(
        source.at(),
        f"`{source.name}` of `{layer.name}` holds no record, and Caffe reads one all the same and dies; write the "
        "database "
        "anew",
        layer=layer.name,
        phase=source.phase,
        effect=Effect.SETUP_FAILURE,
    )


@rule("DAT502", "truncated-database", ERROR, effect=Effect.RUN_FAILURE)
def truncated_database(source: Source) -> Iterator[Problem]:
    """A database is damaged: cut while it was copied, or without one of its files.

    **In Caffe** an LMDB is mapped: reading behind its end is SIGBUS, without a message. A LevelDB without `CURRENT`
    or with a damaged MANIFEST is not opened: `Check failed: status.ok() Failed to open leveldb` (db_leveldb.cpp).

    **Instead** copy it again, whole, while nothing writes to it.
    """
    layer, account = source.layer, source.account
    fault = account.fault("truncated", "damaged", "no-database", "killed", "unreadable", "refused")
    if source.kind not in _DATABASES or layer is None or fault is None or _other_backend(source):
        return
    certain = fault.kind in ("truncated", "no-database") or account.read == 0
    at_setup = source.kind == "leveldb" or fault.kind == "no-database"
    yield finding(
        source.at(),
        f"`{source.name}` of `{layer.name}` is damaged: {fault.words}, and Caffe "
        f"{'cannot open it' if at_setup else 'dies when it comes there'}; copy it again, whole",
        layer=layer.name,
        phase=source.phase,
        severity=ERROR if certain and fault.kind != "killed" else WARNING,
        effect=Effect.SETUP_FAILURE if at_setup or account.read == 0 else None,
    )


@rule("DAT503", "wrong-backend", ERROR, effect=Effect.SETUP_FAILURE)
def wrong_backend(source: Source) -> Iterator[Problem]:
    """`backend` names the other kind of database.

    **In Caffe** a LevelDB is opened unless `backend: LMDB` is written (caffe.proto), and opening the other kind
    aborts (db_leveldb.cpp, db_lmdb.cpp).

    **Instead** write the backend that the folder holds.
    """
    layer, other = source.layer, _other_backend(source)
    if layer is None or other is None:
        return
    written = layer.param.data_param.HasField("backend")
    yield finding(
        layer.at("data_param.backend" if written else "data_param.source"),
        f"`{source.name}` of `{layer.name}` is {_article(other)}, and "
        f"{f'`backend: {source.kind.upper()}`' if written else 'without `backend` Caffe'} opens "
        f"{_article(source.kind)}: "
        f"Caffe aborts; write `backend: {other.upper()}`",
        layer=layer.name,
        phase=source.phase,
    )


def _other_backend(source: Source) -> str | None:
    """The kind of database that a folder holds, where it is not the one that the layer opens."""
    if source.kind not in _DATABASES or source.account.fault("no-database") is None:
        return None
    other, file = ("leveldb", "CURRENT") if source.kind == "lmdb" else ("lmdb", "data.mdb")
    return other if (Path(source.account.path) / file).is_file() else None


def _article(kind: str) -> str:
    return "an LMDB" if kind == "lmdb" else "a LevelDB"


@rule("DAT504", "batch-larger-than-data", INFO, effect=Effect.NONE)
def batch_larger_than_data(source: Source) -> Iterator[Problem]:
    """A batch holds more records than the source does.

    **In Caffe** reading goes on from the start (data_layer.cpp, Next), so records are in a batch several times.

    **Instead** write a smaller `batch_size`.
    """
    layer, records = source.layer, source.account.records
    if layer is None or not records or not 0 < records < source.batch or source.kind == "windows":
        return
    block = source.route.partition(".")[0]
    yield finding(
        layer.at(f"{block}.batch_size"),
        f"`batch_size: {source.batch}` of `{layer.name}` is more than the {counted(records, 'record')} of "
        f"`{source.name}`, "
        "so a batch holds some of them several times; write a smaller batch",
        layer=layer.name,
        phase=source.phase,
    )


@rule("DAT505", "train-test-overlap", WARNING, effect=Effect.NONE)
def train_test_overlap(beside: Beside) -> Iterator[Problem]:
    """Records of the test are among those of the training.

    **In Caffe** nothing compares them; the accuracy says how well the net remembers.

    **Instead** split the data before it is written.
    """
    trained = [one for one in beside.data if one.phase != TEST and one.account.prints]
    for test in beside.data:
        if test.phase != TEST or not test.account.prints or test.layer is None:
            continue
        for train in trained:
            if train.account.path == test.account.path or train.tops[0].name != test.tops[0].name:
                continue
            shared = len(train.account.prints & test.account.prints)
            share = shared / len(test.account.prints)
            if shared < 2 or share < _OVERLAP:
                continue
            yield finding(
                test.at(),
                f"{shared} of {len(test.account.prints)} records of `{test.name}` that were compared are in "
                f"`{train.name}` "
                "too, so the test is of what was learnt by heart; split the data before it is written",
                evidence=f"{seen(test.account)} of the test, {seen(train.account)} of the training",
                related=[Related("the training data", train.at())],
                layer=test.layer.name,
                phase=TEST,
            )


