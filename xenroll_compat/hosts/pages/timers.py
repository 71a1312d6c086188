"""What a page puts off with setTimeout and setInterval: run in the order of its times, and without waiting for them.

Knows neither page nor script.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import Any, Final

MOST: Final = 200  # how often timers of one page may run: a page that asks again and again would never end


@dataclass(order=True)
class Timer:
    """One timer.

    Attributes:
        due: its time in milliseconds, on a clock that runs ahead to whatever is due next.
        number: what setTimeout gave for it.
        code: a function, or the text of a script.
        language: of the text.
        period: after how many milliseconds it runs again, or None.
    """

    due: float
    number: int
    code: Any = field(compare=False)
    language: str = field(compare=False)
    period: float | None = field(compare=False)


class Timers:
    """The timers of one page."""

    def __init__(self) -> None:
        self._queue: list[Timer] = []
        self._now = 0.0
        self._last = 0
        self.runs = 0

    def add(self, code: Any, milliseconds: float, language: str, *, again: bool) -> int:
        """Notes a timer; gives its number."""
        self._last += 1
        period = max(milliseconds, 1.0) if again else None
        heapq.heappush(self._queue, Timer(self._now + max(milliseconds, 0.0), self._last, code, language, period))
        return self._last

    def remove(self, number: object) -> None:
        """Takes a timer away; a number that is none is passed over."""
        self._queue = [timer for timer in self._queue if timer.number != number]
        heapq.heapify(self._queue)

    def clear(self) -> None:
        """Takes all timers away."""
        self._queue.clear()

    def next(self) -> Timer | None:
        """The timer that is due next, taken out (one of an interval stands for its next time), or None.

        None too when timers have run as often as a page may have them; ``is_exhausted`` tells the two apart.
        """
        if not self._queue or self.runs >= MOST:
            return None
        self.runs += 1
        timer = heapq.heappop(self._queue)
        self._now = timer.due
        if timer.period is not None:
            heapq.heappush(self._queue, replace(timer, due=timer.due + timer.period))
        return timer

    @property
    def is_exhausted(self) -> bool:
        """Whether there are timers that may not run any more."""
        return bool(self._queue) and self.runs >= MOST
