"""Reading of the data beside the nets of a run, as its settings ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nanlint.caffe.options import Options
from nanlint.config import Settings

if TYPE_CHECKING:
    from nanlint.caffe.model import Net, Solver
    from nanlint.data.beside import Beside, Known
    from nanlint.data.session import Session

Progress = Callable[[str, int, int], None]


class Reading:
    """The sources of one run. Nothing is imported for it where `data` is "no"."""

    def __init__(self, settings: Settings, weights: Sequence[str] = (), progress: Progress | None = None) -> None:
        self._settings, self._weights = settings, weights
        self._session: Session | None = None
        self._known: Known | None = None
        if settings.data != "no":
            from nanlint.data.session import Session

            self._session = Session(settings.data, progress, settings.scheduler)

    def options(self, options: Options, solver: str | None = None) -> Options:
        """The options with which a solver's nets, or a net by itself, are built."""
        if self._session is None:
            return options
        from nanlint.data.beside import Known

        self._known = Known(self._session, solver, self._settings.roots)
        return replace(options, data=self._known)

    def beside(self, nets: Sequence[Net], solver: Solver | None = None) -> Beside | None:
        """What lies beside the nets that were built last; they come to know what their data layers hand over."""
        found = None if self._known is None else self._known.beside(nets, solver, self._weights)
        for net in nets:
            net.fed = found.fed(net) if found is not None else {}
            net.loaded = found.loaded if found is not None else frozenset()
            net.given_ranges = {**self._settings.ranges, **_ranges(net)}
        return found

    def close(self) -> list[str]:
        """End the reading; a sentence on each library that is missing."""
        if self._session is None:
            return []
        self._session.close()
        return [
            f"`{name}` is not installed, so the data that it reads was left out: pip install 'nanlint[data]'"
            for name in sorted(self._session.missing)
        ]


def _ranges(net: Net) -> Mapping[str, tuple[float, float]]:
    """The least and the greatest value of each top of which every record was read and is finite."""
    return {
        name: (min(one.low for one in fed.channels), max(one.high for one in fed.channels))
        for name, fed in net.fed.items()
        if fed.channels and fed.whole and not fed.nonfinite
    }
