"""nanlint: reads Caffe solvers and nets before they run, and says where they break."""

from __future__ import annotations

__version__ = "0.1.0"
