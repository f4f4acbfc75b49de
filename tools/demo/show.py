"""What the demo prints: milestones for everybody, a bar only where a person watches."""

import sys


class Screen:
    def __init__(self, out=sys.stdout):
        self._out = out
        self.live = out.isatty()
        self._bar = False

    def say(self, text: str = ""):
        self._clear()
        print(text, file=self._out, flush=True)

    def chapter(self, number: int, title: str):
        self.say(f"\n{number}. {title}")

    def bar(self, label: str, done: float, note: str = ""):
        """`done` from 0 to 1; drawn over and over on one line, never into a file or a pipe."""
        if not self.live:
            return
        width = 30
        filled = int(width * min(1.0, max(0.0, done)))
        self._out.write(f"\r\033[K   {label:<22} [{'#' * filled}{'.' * (width - filled)}] {100 * done:3.0f}% {note}")
        self._out.flush()
        self._bar = True

    def table(self, rows: list):
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            self.say(f"   {name:<{width}}  {value}")

    def _clear(self):
        if self._bar:
            self._out.write("\r\033[K")
            self._bar = False


def bytes_text(n: int) -> str:
    return f"{n / 1e6:.2f} MB" if n >= 1e6 else f"{n / 1e3:.1f} kB" if n >= 1e3 else f"{n} B"
