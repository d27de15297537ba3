"""Time-outs of many calls by one timer.

`asyncio.timeout` sets and cancels a timer for each call, which is a tenth of what a small call costs. Calls of one time-out end in the order in
which they began, so a queue for each and one timer at the earliest are enough; what ends in time leaves its queue and touches no timer.

PYTEST_DONT_REWRITE
"""

import asyncio


class Call:
    """One call that runs."""

    __slots__ = ("before", "deadline", "is_over", "task", "timeout")

    def __init__(self, task: asyncio.Task[object], timeout: float, deadline: float) -> None:
        self.task = task
        self.timeout = timeout
        self.deadline = deadline
        self.before = task.cancelling()
        self.is_over = False

    def has_ended(self) -> bool:
        """Say whether the cancellation that has come is this deadline's, and take it back then: it is a time-out, unless others cancelled too."""
        return self.is_over and self.task.uncancel() <= self.before


class Deadlines:
    """The calls of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._queues: dict[float, dict[Call, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, timeout: float) -> Call:
        """Watch the running task: it is cancelled when it has not ended in `timeout` seconds."""
        task = asyncio.current_task(self.loop)
        assert task is not None
        call = Call(task, timeout, self.loop.time() + timeout)
        queue = self._queues.get(timeout)
        if queue is None:
            queue = self._queues[timeout] = {}
        queue[call] = None
        if self._timer is None or call.deadline < self._timer.when():
            self._arm(call.deadline)
        return call

    def end(self, call: Call) -> None:
        """Watch a call no longer."""
        queue = self._queues.get(call.timeout)
        if queue is not None:
            queue.pop(call, None)

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self.loop.time()
        firsts: list[float] = []
        for timeout, queue in list(self._queues.items()):
            while queue and (call := next(iter(queue))).deadline <= now:
                del queue[call]
                call.is_over = True
                call.task.cancel()
            if queue:
                firsts.append(next(iter(queue)).deadline)
            else:
                del self._queues[timeout]  # callers may compute their time-outs: no two alike
        if firsts:
            self._arm(min(firsts))
