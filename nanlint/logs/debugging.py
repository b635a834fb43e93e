"""What `debug_info` prints, pass by pass."""

from __future__ import annotations

from nanlint.logs.model import TRAIN, Block, DebugKey, DebugTrack, DebugValue, Run

_MOST_BLOBS = 50_000
"""Distinct blobs that are followed; a net has a few thousand."""


class DebugReader:
    """The pass that is being printed, the one before of the same phase, and how each blob went over the run."""

    def __init__(self) -> None:
        self.block: Block = {}
        self._last: dict[str, Block] = {}
        self._phase = TRAIN
        self._fresh = True

    def new_iteration(self) -> None:
        """A line that no pass prints: the next forward line begins another pass."""
        self._fresh = True

    def earlier(self) -> Block:
        """The pass before this one, of the same phase."""
        return self._last.get(self._phase, {})

    def add(self, key: DebugKey, value: float, phase: str, line: int, run: Run) -> None:
        """One line. `phase`: that of the net that prints it."""
        if key.step == "forward" and (self._fresh or phase != self._phase or key in self.block):
            self._last[self._phase] = self.block
            self.block = {}
            self._phase, self._fresh = phase, False
        if len(self.block) < _MOST_BLOBS:
            self.block[key] = DebugValue(value, line)
        if phase != TRAIN:
            return
        track = run.debug.get(key)
        if track is None:
            if len(run.debug) >= _MOST_BLOBS:
                return
            track = run.debug[key] = DebugTrack(first=value, peak=value)
        track.count += 1
        track.last = value
        track.peak = max(track.peak, value)
        track.zeros += value == 0
        track.zero_streak = track.zero_streak + 1 if value == 0 else 0
