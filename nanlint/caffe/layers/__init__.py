"""The layer types that nanlint knows: one class each, imported when a net first uses it."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from nanlint.caffe.layers.base import LayerType

# type name in the prototxt -> module below this package; the class has the type's name
MODULES: dict[str, str] = {
    "AbsVal": "neuron",
    "Accuracy": "accuracy",
    "ArgMax": "argmax",
    "BatchNorm": "batch_norm",
    "BatchReindex": "batch_choice",
    "Bias": "scale",
    "BNLL": "neuron",
    "Clip": "neuron",
    "Concat": "concat",
    "ContrastiveLoss": "losses",
    "Convolution": "convolution",
    "Crop": "crop",
    "Data": "data",
    "Deconvolution": "convolution",
    "Dropout": "neuron",
    "DummyData": "dummy_data",
    "Eltwise": "eltwise",
    "ELU": "relu",
    "Embed": "embed",
    "EuclideanLoss": "losses",
    "Exp": "powers",
    "Filter": "batch_choice",
    "Flatten": "flatten",
    "HDF5Data": "hdf5",
    "HDF5Output": "hdf5",
    "HingeLoss": "losses",
    "Im2col": "im2col",
    "ImageData": "image_data",
    "InfogainLoss": "infogain_loss",
    "InnerProduct": "inner_product",
    "Input": "input",
    "Log": "powers",
    "LRN": "lrn",
    "LSTM": "recurrent",
    "LSTMUnit": "recurrent",
    "MemoryData": "memory_data",
    "MultinomialLogisticLoss": "losses",
    "MVN": "mvn",
    "Parameter": "input",
    "Pooling": "pooling",
    "Power": "powers",
    "PReLU": "prelu",
    "Python": "python",
    "Reduction": "reduction",
    "ReLU": "relu",
    "Reshape": "reshape",
    "RNN": "recurrent",
    "Scale": "scale",
    "Sigmoid": "neuron",
    "SigmoidCrossEntropyLoss": "losses",
    "Silence": "split",
    "Slice": "slice",
    "Softmax": "softmax",
    "SoftmaxWithLoss": "softmax_loss",
    "Split": "split",
    "SPP": "spp",
    "Swish": "relu",
    "TanH": "neuron",
    "Threshold": "neuron",
    "Tile": "tile",
    "WindowData": "image_data",
}

# compiled in only with OpenCV, or with the Python layer
OPTIONAL_TYPES = {"ImageData": "USE_OPENCV", "WindowData": "USE_OPENCV", "Python": "WITH_PYTHON_LAYER"}

BVLC_TYPES = frozenset(MODULES).difference(OPTIONAL_TYPES)
"""REGISTER_LAYER_CLASS and REGISTER_LAYER_CREATOR in src/caffe/layers and layer_factory.cpp of every build."""

# the same for types that only forks of Caffe register
FORK_MODULES: dict[str, str] = {
    "AnnotatedData": "annotated_data",
    "Axpy": "permute",
    "BN": "fork_norm",
    "CenterLoss": "fork_losses",
    "ConvolutionDepthwise": "convolution",
    "CReLU": "fork_neuron",
    "DepthwiseConvolution": "convolution",
    "DetectionEvaluate": "detection",
    "DetectionOutput": "detection",
    "FocalLoss": "fork_losses",
    "ImageSegData": "segmentation_data",
    "Interp": "resampling",
    "Lstm": "fork_sequence",
    "MultiBoxLoss": "detection",
    "NdConvolution": "convolution",
    "NdPooling": "pooling",
    "Normalize": "fork_norm",
    "Permute": "permute",
    "PriorBox": "detection",
    "PSROIPooling": "detection",
    "RegionLoss": "fork_losses",
    "ReLU6": "relu",
    "Reorg": "permute",
    "Resize": "resampling",
    "ROIPooling": "detection",
    "ShuffleChannel": "permute",
    "SmoothL1Loss": "fork_losses",
    "SpatialDropout": "fork_neuron",
    "TransformAccuracy": "fork_losses",
    "TransformSoftmaxLoss": "fork_losses",
    "Transpose": "permute",
    "Upsample": "resampling",
    "VideoData": "annotated_data",
    "YoloDetectionOutput": "fork_losses",
    "Yolov3": "fork_losses",
    "Yolov3DetectionOutput": "fork_losses",
}


@cache
def layer_type(name: str, bvlc: bool = False) -> LayerType | None:
    """What nanlint knows of a type; None for one that it does not know, or that `bvlc` (BVLC Caffe 1.0) has
    not.
    """
    module = MODULES.get(name) or (None if bvlc else FORK_MODULES.get(name))
    if module is None:
        return None
    found: type[LayerType] = getattr(import_module(f"{__name__}.{module}"), name)
    return found()
