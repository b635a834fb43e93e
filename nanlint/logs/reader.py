"""From lines to a log: what each line adds."""

from __future__ import annotations

import math
from collections.abc import Callable
from re import Match, Pattern

from nanlint.logs import patterns
from nanlint.logs.debugging import DebugReader
from nanlint.logs.echoes import EchoReader
from nanlint.logs.model import TEST, TRAIN, DebugKey, Failure, FirstBad, Log, Run
from nanlint.logs.patterns import number

_LONGEST_TEXT = 2048
"""Characters of a line that are looked at."""

_LONGEST_LEAD = 200
_MOST_TOPS = 1000


class Reader:
    """Takes a log line by line. `log` holds what has been read; `close` settles what waited for more."""

    def __init__(self, path: str) -> None:
        self.log = Log(path)
        self._echo: EchoReader | None = None
        self._net_to_come: str | None = None
        self._lead: Pattern[str] | None = None
        self._thread = ""
        self._prefix: Match[str] | None = None
        self._main_thread = ""
        self._testing: tuple[int, int] | None = None
        self._in_test = False
        self._shown: int | None = None
        self._rate_at: int | None = None
        self._debug = DebugReader()
        self._waiting: FirstBad | None = None
        self._tops: list[str] | None = None

    @property
    def run(self) -> Run:
        """The run that is being read."""
        return self.log.runs[-1] if self.log.runs else self._new_run()

    def feed(self, line: str) -> None:
        """One line of the file."""
        self.log.lines += 1
        if "\r" in line:
            for part in line.split("\r"):
                self._line(part)
        else:
            self._line(line)

    def close(self) -> Log:
        """The log, as far as it goes."""
        self._end_echo()
        self._settle(None)
        if self.log.runs:
            self.log.runs[-1].last_line = self.log.lines
        return self.log

    def _line(self, line: str) -> None:
        match = patterns.PREFIX.search(line)
        if match is None:
            if self._echo is not None and self._echo.take(line):
                return
            self._text(line, None)
            return
        self.log.recognised += 1
        if self.log.prefix == "none":
            self.log.prefix = "glog" if len(match[2]) == 4 else "glog-year"
            self.log.lead = line[: match.start()][-_LONGEST_LEAD:]
            self._lead = patterns.lead_pattern(self.log.lead)
        self._thread = match[4]
        if self._echo is not None and self._echo.ends_at(self._thread):
            self._end_echo()
        text = line[match.end() :]
        if "pp:" in text and (other := patterns.PREFIX.search(text)):
            self._text(text[: other.start()], match)
            self._line(text[other.start() :])
            return
        self._text(text, match)

    def _text(self, text: str, prefix: Match[str] | None) -> None:
        """What stands behind the prefix."""
        text = text[:_LONGEST_TEXT]
        self._prefix = prefix
        if prefix is not None and prefix[1] == "F":
            self._failed(Failure(prefix[5], int(prefix[6]), text.strip(), self.log.lines))
            return
        for word, take in _KINDS:
            if word in text:
                take(self, text)
                return
        if prefix is None:
            self._other(text)

    def _iteration(self, text: str) -> None:
        if match := patterns.SHOWN.search(text):
            iteration = int(match[1])
            self._goes_on(iteration)
            self._debug.new_iteration()
            value = number(match[3])
            if match[2] == "lr":
                self._rate_at = iteration
                self.log.rates.add(iteration, value)
            else:
                self._loss(iteration, value)
        elif match := patterns.TESTING.search(text):
            self._goes_on(int(match[1]))
            self._testing, self._in_test = (int(match[1]), int(match[2] or 0)), True
            self._debug.new_iteration()

    def _loss(self, iteration: int, value: float) -> None:
        self.log.losses.add(iteration, value)
        self._shown, self._in_test, self._testing = iteration, False, None
        if self._waiting is not None:
            self._settle(iteration)
        if not math.isfinite(value):
            self._bad(iteration, TRAIN, "loss", value)
        if self._prefix is not None:
            run = self.run
            run.last_stamp = self._prefix, iteration
            if run.first_stamp is None:
                run.first_stamp = run.last_stamp

    def _output(self, text: str) -> None:
        match = patterns.OUTPUT.search(text)
        if match is None:
            return
        self.log.recognised += 1
        index, name, value = int(match[2]), match[3], number(match[4])
        if match[5] is not None and name not in self.run.loss_weights and len(self.run.loss_weights) < 1000:
            self.run.loss_weights[name] = number(match[5])
        if match[1] == "Test":
            self._tested(index, name, value)
        elif self._shown is not None:
            self.log.outputs.put(self._shown, index, name, value)
            if not math.isfinite(value):
                self._bad(self._shown, TRAIN, "train_output", value, name)

    def _score(self, text: str) -> None:
        if match := patterns.SCORE.search(text):
            self.log.recognised += 1
            self._tested(int(match[1]), "", number(match[2]))

    def _tested(self, index: int, name: str, value: float) -> None:
        iteration, net = self._testing or (self._shown or 0, 0)
        self._in_test = False
        self._debug.new_iteration()
        self.run.started = True
        self.log.tests.put(iteration, index, name, value, net)
        if not math.isfinite(value):
            self._bad(iteration, TEST, "test_output", value, name)

    def _debug_line(self, text: str) -> None:
        if match := patterns.DEBUG.search(text):
            self.log.recognised += 1
            key = DebugKey(match[1].lower(), match[2], match[3], match[4])
            self._debugged(key, number(match[5]))

    def _update_line(self, text: str) -> None:
        if match := patterns.UPDATE.search(text):
            self.log.recognised += 1
            self._debugged(DebugKey("update", match[1], "param", match[2]), number(match[3]))
            self._debugged(DebugKey("update", match[1], "diff", match[2]), number(match[4]))

    def _debugged(self, key: DebugKey, value: float) -> None:
        phase = TEST if self._in_test and key.step == "forward" else TRAIN
        self._debug.add(key, value, phase, self.log.lines, self.run)
        if math.isfinite(value) or self.run.first_bad_trained is not None:
            return
        iteration = self._testing[0] if phase == TEST and self._testing else None
        if key.step == "update":
            iteration = self._rate_at
        bad = self._bad(iteration, phase, key.step, value, key.blob, key.layer)
        if bad is None:
            return
        bad.kind, bad.block, bad.earlier = key.kind, self._debug.block, self._debug.earlier()
        self._waiting = bad if iteration is None else None

    def _bad(
        self,
        iteration: int | None,
        phase: str,
        step: str,
        value: float,
        blob: str | None = None,
        layer: str | None = None,
    ) -> FirstBad | None:
        """Note the first bad number of the run, or of its training net; None where one was before."""
        run = self.run
        if run.first_bad_trained is not None or (run.first_bad is not None and phase == TEST):
            return None
        shown = self._shown if step != "loss" else self._shown_before()
        bad = FirstBad(
            -1 if iteration is None else iteration,
            phase,
            step,
            layer,
            blob,
            value,
            self.log.lines,
            run=len(self.log.runs) - 1,
            shown_before=shown,
        )
        if phase == TRAIN:
            run.first_bad_trained = bad
        if run.first_bad is None:
            run.first_bad = bad
        if self.log.first_bad is None:
            self.log.first_bad = bad
        return bad

    def _shown_before(self) -> int | None:
        """The iteration of the loss line before the last one of the run."""
        losses = self.log.losses
        return losses.iterations[-2] if len(losses) - self.run.losses_from > 1 else None

    def _settle(self, iteration: int | None) -> None:
        """Give a bad `debug_info` line its iteration: that of the loss line after it, else the next to be shown."""
        if self._waiting is None:
            return
        if iteration is None:
            iteration = self.run.from_iteration if self._shown is None else self._shown + (self.run.display or 1)
        self._waiting.iteration = iteration
        self._waiting = None

    def _initializing(self, text: str) -> None:
        if "Initializing solver from parameters" in text:
            self._end_echo()
            run = self.log.runs[-1] if self.log.runs else None
            if run is None or run.solver is not None or self._ended(run) or self._trains(run):
                self._new_run()
            self._main_thread = self._thread
            self._echo = EchoReader("", self.log.lines + 1, self._thread, self._lead)
            self.log.recognised += 1
        elif "Initializing net from parameters" in text and self._net_to_come is not None:
            self._end_echo()
            self._echo = EchoReader(self._net_to_come, self.log.lines + 1, self._thread, self._lead)
            self._net_to_come = None
            self.log.recognised += 1

    def _end_echo(self) -> None:
        if self._echo is None:
            return
        echo = self._echo.echo()
        self._echo = None
        if not echo.phase:
            self.run.solver = echo
            self.run.max_iter = _setting(patterns.MAX_ITER, echo.text)
            self.run.display = _setting(patterns.DISPLAY, echo.text)
        elif echo.phase == TEST or all(net.phase == TEST for net in self.run.nets):
            self.run.nets.append(echo)

    def _creating(self, text: str) -> None:
        self._net_to_come = TRAIN if "raining net" in text else TEST

    def _creating_layer(self, text: str) -> None:
        self.run.setting_up = text.partition("Creating Layer ")[2].strip()
        self._tops = []

    def _bottom(self, text: str) -> None:
        self._tops = None

    def _top(self, text: str) -> None:
        if self._tops is not None and len(self._tops) < _MOST_TOPS:
            self._tops.append(text.partition(" -> ")[2].strip())

    def _top_shape(self, text: str) -> None:
        """Tops are listed before their shapes; only those of a layer without bottoms are kept."""
        if self._tops and self.run.nets and (match := patterns.SHAPE.search(text)):
            self.run.nets[-1].shapes[self._tops.pop(0)] = tuple(map(int, match[1].split()))

    def _idle_backward(self, text: str) -> None:
        if match := patterns.FILTERED.search(text):
            self.run.frozen.add(match[1])

    def _finetuned(self, text: str) -> None:
        self.run.weights = text.partition("Finetuning from ")[2].strip()

    def _optimization(self, text: str) -> None:
        if "Starting Optimization" in text:
            run = self.log.runs[-1] if self.log.runs else None
            if run is None or run.started or (run.solver is None and self._ended(run)):
                run = self._new_run()  # with an echo, what has failed before is a thread of this run
            run.started = True
            self._main_thread = self._thread
        elif "Optimization stopped early" in text:
            self.run.stopped_early = True
        elif "Optimization Done" in text and self.run.failure is None:
            self.run.done = True
        else:
            return
        self.log.recognised += 1

    def _resumed(self, text: str) -> None:
        match = patterns.RESUMED.search(text)
        self.run.resumed = match[1].strip() if match else text.partition("Resuming from ")[2].strip()
        if at := patterns.RESUMED_AT.search(self.run.resumed):
            self.run.from_iteration = int(at[1])

    def _clipped(self, text: str) -> None:
        if match := patterns.CLIPPED.search(text):
            self.run.clipped += 1
            self.run.clip_last, self.run.clip_norm = number(match[1]), number(match[2])

    def _other(self, text: str) -> None:
        """A line of no prefix: a crash, a kill, or another program's."""
        if "Check failed: " in text and "Error" not in text:
            self._failed(Failure(None, None, text[text.index("Check failed: ") :].strip(), self.log.lines))
        elif match := patterns.CRASH.search(text):
            if self.log.runs and self.run.crash is None and self.run.failure is None:
                self.run.crash = (match[0].strip(), self.log.lines)
        elif self.log.runs and (match := patterns.KILLED.search(text)):
            self.run.killed = (match[0].strip(), self.log.lines)

    def _failed(self, failure: Failure) -> None:
        if self.log.failure is None:
            self.log.failure = failure
        if self.run.failure is None and not self.run.done:
            self.run.failure = failure

    def _new_process(self, text: str) -> None:
        """A line with which Caffe's tool begins."""
        if text.startswith(_BEGINNINGS):
            self.log.recognised += 1
        else:
            return
        if not self.log.runs or self._ended(self.run):
            self._new_run()

    def _goes_on(self, iteration: int) -> None:
        """An iteration of the run; of another where the last one has ended."""
        run = self.run
        elsewhere = self._main_thread not in ("", self._thread) or iteration < (self._shown or 0)
        if run.done or (run.failure is not None and elsewhere):
            run = self._new_run()
        run.started = True
        self._main_thread = self._thread
        self.log.recognised += 1

    def _trains(self, run: Run) -> bool:
        return len(self.log.losses) > run.losses_from or len(self.log.tests) > run.tests_from

    @staticmethod
    def _ended(run: Run) -> bool:
        return run.done or run.stopped_early or run.failure is not None or run.crash is not None

    def _new_run(self) -> Run:
        if self.log.runs:
            self._settle(None)
        log = self.log
        if log.runs:
            log.runs[-1].last_line = max(0, log.lines - 1)
        run = Run(log.lines, len(log.losses), len(log.rates), len(log.outputs), len(log.tests))
        log.runs.append(run)
        self._debug = DebugReader()
        self._shown = self._rate_at = self._testing = None
        self._in_test = False
        self._net_to_come = None
        return run


def _setting(pattern: Pattern[str], text: str) -> int | None:
    found = pattern.findall(text)
    return int(found[-1]) if found else None


_BEGINNINGS = ("Log file created at", "Use CPU", "Use GPU", "Using GPU")

_KINDS: tuple[tuple[str, Callable[[Reader, str], None]], ...] = (
    ("Iteration ", Reader._iteration),
    (" net output #", Reader._output),
    ("ard] Layer ", Reader._debug_line),
    ("[Update] ", Reader._update_line),
    ("Initializing ", Reader._initializing),
    ("Creating t", Reader._creating),
    ("Creating Layer ", Reader._creating_layer),
    (" <- ", Reader._bottom),
    (" -> ", Reader._top),
    ("Top shape: ", Reader._top_shape),
    ("Optimization", Reader._optimization),
    ("does not need backward", Reader._idle_backward),
    ("Gradient clipping", Reader._clipped),
    ("Test score #", Reader._score),
    ("Finetuning from ", Reader._finetuned),
    ("Restoring previous solver", Reader._resumed),
    ("Resuming from ", Reader._resumed),
    ("Log file created", Reader._new_process),
    ("Use ", Reader._new_process),
    ("Using GPU", Reader._new_process),
)
"""What a line holds that is to be taken so. The first that it holds decides."""
