"""A question asked and answered: compile -> load -> BEGIN -> attach -> consume -> detach -> END.

    with Session(Request(b"syscall:::entry { @[execname] = count(); }", "calls.d"), command=["ls"]) as session:
        session.wait()
    session.aggregations[""]        # {("ls",): 112, ...}

Entering the `with` block starts, leaving it ends and removes everything. While inside, either iterate over the session
for records as they come, or `wait()` for the end; both carry out the program's actions.
"""

from __future__ import annotations

import os
import select
import time

from invivo.consumer.loop import Consumer
from invivo.engines.kernel.engine import KernelEngine
from invivo.linux import descriptors
from invivo.progress import progress
from invivo.starting import Starting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    from invivo.consumer.aggregate import AggregationView, Totals
    from invivo.consumer.records import Record, Stack
    from invivo.engines.dump import DumpEngine
    from invivo.engines.process.engine import ProcessEngine

__all__ = ["Session"]

_LEAST_WAIT_MS = 1.0  # between two looks at the buffer, however small the switchrate


class Session(Starting):
    """See the module's text. `output` receives what the program prints; None collects records for iteration."""

    # --- life ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None or kind is KeyboardInterrupt:
                self._finish()
        finally:
            self._remove()

    def _finish(self) -> None:
        """Disable, run END, take what is left. Does nothing the second time."""
        engine, consumer = self._engine, self._consumer
        if self._is_done or engine is None or consumer is None:
            return
        self._is_done = True
        with progress("detaching probes", is_wanted=self._isolate):
            engine.disable()
        self._buffering.take(engine.read, consumer.feed)
        self._buffering.give(consumer.feed)
        engine.read(consumer.feed)
        engine.end()
        engine.read(consumer.feed)
        engine.refresh()
        self._exit_code = engine.exit_code or 0
        consumer.finish(engine.losses(), engine.missed_runs())
        for message in engine.messages():
            self._tell(message)

    def _remove(self) -> None:
        if self._engine is not None:
            self._engine.close()
        if self._keeper is not None:
            self._keeper.close()
        self._targets.close()
        for fd in (self._stop_reader, self._stop_writer):
            if fd >= 0:
                os.close(fd)
        self._stop_reader = self._stop_writer = -1
        if self._has_descriptors:
            self._has_descriptors = False
            descriptors.give_back()

    def mind(self) -> None:
        """Stay the tracer of a command that goes on under a filter, until it has ended with all that it started. Does
        nothing where there is no filter (see `has_filter`)."""
        if self._engine is not None and not isinstance(self._engine, KernelEngine):
            self._engine.mind()

    # --- running ------------------------------------------------------------------------------------------------

    def defer(self) -> None:
        """Before the session is entered: carry out records when tracing has ended, not as they come, so that it costs
        what is traced as little as can be. (Some 64 MiB of them are kept.) The kernel engine does so."""
        self._is_deferred = True

    def on_process(self, met: Callable[[int], object]) -> None:
        """Before the session is entered: `met` is called with the pid of each process whose stack was taken, soon after
        the first time, while it is most likely still there."""
        self._met = met

    def stop(self) -> None:
        """End tracing soon; may be called from another thread or a signal handler, before tracing has begun too."""
        self._is_stopping = True
        if self._interrupt is not None:
            self._interrupt()
        if self._stop_writer >= 0:
            os.write(self._stop_writer, b"x")

    def wait(self) -> int:
        """Trace until the program calls exit(), the target ends, the duration is over or stop() is called.

        Returns:
            The value given to exit(), or 0.

        Raises:
            InvivoError: Tracing was ended from outside: somebody killed the process that holds the probes.
        """
        while self._step():
            pass
        self._finish()
        self._raise_failure()
        return self.exit_code

    def __iter__(self) -> Iterator[Record]:
        """Records as they come, until tracing ends."""
        assert self._consumer is not None
        while not self._is_done:
            if not self._step():
                self._finish()
            yield from self._consumer.take_records()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _step(self) -> bool:
        """Wait for at most a switch interval, then take what is there; False when tracing should end."""
        engine, consumer = self._engine, self._consumer
        assert engine is not None, "the session was not entered"
        assert consumer is not None
        if self._is_done:
            return False
        if not isinstance(engine, KernelEngine):
            return self._step_process(engine, consumer)
        ready = self._poll(engine)
        engine.take_late()
        for timer in engine.timers:
            if timer.fd in ready:
                timer.fire()
        self._buffering.take(engine.read, consumer.feed)
        if self._aggregates.is_due():
            engine.refresh()
        else:
            engine.refresh_if_pressing()
        consumer.report(engine.losses)
        if engine.keeper is not None and engine.keeper.fd in ready:
            self._failure = engine.keeper.loss()
        return not (
            engine.exit_code is not None
            or self._failure is not None
            or self._buffering.is_over(engine.losses)
            or self._is_stopping
            or (self._targets.have_ended(ready) and not self.goes_on())
            or (self._deadline is not None and time.monotonic() >= self._deadline)
        )

    def _step_process(self, engine: ProcessEngine | DumpEngine, consumer: Consumer) -> bool:
        """The same for the process engine, whose events come from wait(2)."""
        if engine.exit_code is None:
            engine.run()
        engine.read(consumer.feed)
        return not (
            engine.exit_code is not None
            or engine.target_ended
            or self._was_stopped()
            or (self._deadline is not None and time.monotonic() >= self._deadline)
        )

    def _was_stopped(self) -> bool:
        """Whether stop() was called."""
        return self._is_stopping

    def _poll(self, engine: KernelEngine) -> set[int]:
        if engine.exit_code is not None:
            return set()
        poller = select.poll()
        has_reader = self._buffering.policy != "fill"  # who reads nothing is not to be woken
        ring_fd = engine.ring_fd if has_reader else -1
        for fd in (ring_fd, self._stop_reader, *(target.pidfd for target in self._targets.running())):
            if fd >= 0:
                poller.register(fd, select.POLLIN)
        for timer in engine.timers:
            poller.register(timer.fd, select.POLLIN)
        for fd in engine.late_fds:
            poller.register(fd, select.POLLIN)
        if engine.keeper is not None:
            poller.register(engine.keeper.fd, select.POLLIN)
        switch_ms = max(int(engine.plan.options.get("switchrate", 100_000_000)) / 1e6, _LEAST_WAIT_MS)
        wait_ms = self._buffering.wait_ms(switch_ms)
        if engine.watch is not None:
            fds, quiet_s = engine.watch.awaited()
            for fd in fds:
                poller.register(fd, select.POLLIN)
            wait_ms = min(wait_ms, quiet_s * 1e3 or wait_ms)
        if self._deadline is not None:
            wait_ms = min(wait_ms, max(0.0, (self._deadline - time.monotonic()) * 1e3 + 1))
        if has_reader:
            engine.await_records()
        return engine.wait(poller, wait_ms)

    # --- answers ------------------------------------------------------------------------------------------------

    @property
    def aggregations(self) -> Mapping[str, AggregationView]:
        """The aggregations by name without the `@`, as they stood when last read (and wholly, after the end)."""
        assert self._consumer is not None, "the session was not entered"
        if not self._is_done and self._engine is not None:
            self._engine.refresh()
        return self._consumer.aggregations.views()

    def take_aggregations(self) -> list[tuple[Totals, dict[bytes, list[int]]]]:
        """What was aggregated since the last call, for who reads again and again: words by key, in no order, and the
        Totals, which decode both. Sums and counts add up; `aggregations` does not hold them any more."""
        assert self._consumer is not None, "the session was not entered"
        if not self._is_done and self._engine is not None:
            self._engine.refresh()
        return self._consumer.aggregations.taken()

    def thread_values(self, name: str) -> dict[int, int]:
        """What the scalar `self->name` holds, for each thread that set it, as a 64-bit word; until the session is left.
        A stack is its identity, for `stack`."""
        return self._engine.thread_values(name) if isinstance(self._engine, KernelEngine) else {}

    def probe_function(self, number: int) -> str:
        """The function of the probe with this number (`id`), of those that the program has; empty if it has none."""
        probes = self._engine.plan.probes if self._engine is not None else ()
        return next((probe.function for probe in probes if probe.id == number), "")

    def stack(self, identity: int, pid: int | None = None) -> Stack:
        """The stack that a variable holds: of the process `pid` (which must still be there), or of the kernel."""
        assert self._consumer is not None, "the session was not entered"
        return self._consumer.resolver.stack(identity, pid is not None, pid or 0, 0)

    @property
    def exit_code(self) -> int:
        """What the program gave to exit(); 0 if it did not."""
        return self._exit_code

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the compiler found doubtful in the program, each as text that shows the place."""
        return self._engine.plan.warnings if self._engine is not None else ()

    @property
    def target_pid(self) -> int | None:
        """The pid of the command or process that is traced."""
        return self._targets.first.pid if self._targets.first is not None else self._pid
