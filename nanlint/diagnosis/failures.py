"""What Caffe's fatal lines mean, and what to do."""

from __future__ import annotations

import re
from typing import NamedTuple

from nanlint.logs.model import Failure


class Meaning(NamedTuple):
    """A kind of fatal line. `cause` is None where `abort` says it all."""

    pattern: re.Pattern[str]
    cause: str | None
    remedy: str


def _means(pattern: str, remedy: str, cause: str | None = None) -> Meaning:
    return Meaning(re.compile(pattern, re.IGNORECASE), cause, remedy)


_KINDS = (
    _means(
        r"label_value|label.*< *num_labels|static_cast<int>.*>= 0.*label",
        "a label is no class of the layer: labels count from 0, and `num_output` must be above the largest",
        "label-out-of-range",
    ),
    _means(
        r"out of memory|\(2 vs\. 0\)  ?out of",
        "the graphics card has not enough memory: lower `batch_size` and raise `iter_size` by the same factor",
    ),
    _means(
        r"cudaSuccess \((?:77|700) vs|illegal memory access",
        "a kernel read or wrote outside a blob: look for labels "
        "that are no class, and run once on the CPU, where the layer can be seen",
        "label-out-of-range",
    ),
    _means(
        r"cudaSuccess \((?:8|98|209|48) vs|no kernel image|invalid device function",
        "Caffe was not compiled for this graphics card: add its architecture to `CUDA_ARCH`",
    ),
    _means(
        r"cudaSuccess|CUDNN_STATUS|CUBLAS_STATUS|CURAND_STATUS",
        "a call to the graphics card failed; see whether the same run works on the CPU",
    ),
    _means(
        r"mdb_status|mdb_env_open|No such file or directory|LevelDB|leveldb",
        "the database cannot be opened: mend `source`, which counts from the working directory, or `backend`",
    ),
    _means(
        r"File not found|fd != -1|Could not open|Unable to open|Failed to open|infile",
        "a file is not where the path says; paths count from the directory in which Caffe is started",
    ),
    _means(r"Failed to parse|ReadProtoFrom", "the file cannot be parsed; `nanlint check` on it names the line"),
    _means(
        r"SerializeToOstream|Cannot write to snapshot prefix|snapshot_prefix|H5Fcreate|failed to write",
        "the snapshot cannot be written: make the folder of `snapshot_prefix`, and see whether the disk is full",
    ),
    _means(
        r"Unknown layer type|registry\.count\(type\)",
        "this Caffe has no layer of that type: mend the name, or use the Caffe that has it",
    ),
    _means(
        r"Unknown bottom blob|Unknown blob input",
        "no earlier layer makes that blob: mend the name, or the phase of the layer that makes it",
    ),
    _means(
        r"Unknown filler|Unknown solver type|Unknown learning rate policy|Unknown regularization",
        "the word is none that Caffe knows",
    ),
    _means(
        r"target_blobs|source_layer|Cannot copy param|shape mismatch|num\(\) == proto|ShapeEquals",
        "the weights come from a net with another shape of that layer: rename the layer, and it is learnt afresh",
    ),
    _means(r"test_iter", "write one `test_iter` for each test net"),
    _means(
        r"datum_(?:height|width|channels|size)|CanReadImage|cv_img",
        "the pictures differ in size: give them one size "
        "when the database is made, or set `new_height` and `new_width`, or `crop_size`",
    ),
    _means(r"crop_size|datum_height >= crop|crop >", "a picture is smaller than `crop_size`"),
    _means(r"mean_file|data_mean", "the mean's shape is not that of the data: use `mean_value`, or make the mean anew"),
    _means(
        r"bottom\[\d\]->|count\(\)|outer_num|inner_num|num_axes|same number|shape\(",
        "the bottoms of the layer do not fit each other",
    ),
    _means(r"kernel|pad_|stride|pooled", "the window does not fit the map that it slides over"),
    _means(r"stepsize|gamma|base_lr|momentum|iter_size|average_loss|clip_gradients", "the solver's value is refused"),
)


def explanation(failure: Failure) -> tuple[str | None, str | None]:
    """The cause, if it is more than an abort, and what to do."""
    for kind in _KINDS:
        if kind.pattern.search(failure.message):
            return kind.cause, kind.remedy
    return None, None
