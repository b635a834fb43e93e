"""Rules whose findings explain those of others, by what they have in common."""

from __future__ import annotations

INPUT_SCALE = (
    "unscaled-pixels",
    "scale-enlarges-bytes",
    "unread-transform",
    "mean-below-scale",
    "large-regression-targets",
    "non-finite-source",
)
FILLERS = ("wide-gaussian-filler", "all-positive-filler", "invalid-filler", "unread-filler-setting")
NORMALISATION = ("global-statistics-in-training", "unsafe-eps", "lrn-base-may-be-zero", "batch-norm-without-variance")
DOMAIN = (
    "log-domain",
    "exp-overflow",
    "power-domain",
    "log-of-possible-zero",
    "power-of-possible-zero",
    "exp-without-bound",
)
OPTIMISER = (
    "momentum-at-or-above-one",
    "momentum2-at-or-above-one",
    "negative-momentum",
    "large-first-step",
    "decay-beyond-stability",
    "unusual-weight-decay",
    "unusual-multiplier",
    "negative-lr-mult",
    "negative-loss-weight",
    "zero-iter-size",
)
SCHEDULE = ("non-finite-rate", "negative-rate", "rising-rate", "negative-gamma", "poly-without-max-iter")
LOSSES = ("summed-loss", "unbalanced-losses", "multi-box-sum", "center-loss-weight", "center-rate")

BEGINNING = (*INPUT_SCALE, *FILLERS, *NORMALISATION)
"""What makes values large before any update."""

SCALE = (*BEGINNING, *DOMAIN, *OPTIMISER, *SCHEDULE, *LOSSES)
"""What makes updates large, or the rate look too high."""

UNREAD = ("syntax-error", "unclosed-block", "unknown-field", "fork-field", "wrong-type", "unknown-enum-value")
"""What protobuf refuses to read, so that it is missing."""
