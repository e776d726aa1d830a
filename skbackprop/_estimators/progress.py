"""What `verbose` prints."""

import shutil
import sys
from time import perf_counter

# Lines are no longer than this, even where there is more room.
COLUMNS = 80


def print_line(parts, over=False):
    """Print parts of a line, as many as there is room for; `over` the line before, which then is not ended, or below it.

    What stands for stdout need not have more than `write`, and may be None.
    """
    width = max(min(COLUMNS, shutil.get_terminal_size().columns - 1), 1)
    text, *others = parts
    for part in others:
        if len(text) + 2 + len(part) > width:
            break
        text += f", {part}"
    text = text[:width]
    if sys.stdout is not None:
        # The rest of a longer line before must go.
        sys.stdout.write(f"\r{text.ljust(width)}" if over else f"{text}\n")
        getattr(sys.stdout, "flush", int)()


def judged(score, scoring):
    """Return what a validation score is called, and its value, as a part of a line."""
    return f"validation loss = {-score:.6g}" if scoring == "loss" else f"validation score = {score:.6g}"


def seconds(time):
    """Return a time as a part of a line."""
    return f"{time:.1f} s" if time < 100 else f"{time:.0f} s"


def _writes_over():
    """Return whether a line on stdout can be written over: on a terminal or in a notebook, whose stdout is ipykernel's."""
    isatty = getattr(sys.stdout, "isatty", None)
    return (isatty is not None and isatty()) or type(sys.stdout).__module__.partition(".")[0] == "ipykernel"


class ProgressLine:
    """A line an epoch: on a terminal or in a notebook always the same one, else one below the other.

    Parameters
    ----------
    max_iter : int or None
        Most epochs; None if there is no telling.
    done : int
        Epochs that were done before this run.
    scoring : str, callable or None
        What validation samples are scored by.
    """

    def __init__(self, max_iter, done=0, scoring=None):
        self.max_iter = max_iter
        self.done = done
        self.scoring = scoring
        self.start = perf_counter()
        self.over = _writes_over()
        self._open = False

    def print(self, n_epochs, loss, score):
        """Print what is known after so many epochs."""
        elapsed = perf_counter() - self.start
        count = f"{n_epochs}" if self.max_iter is None else f"{n_epochs:{len(str(self.max_iter))}d}/{self.max_iter}"
        parts = [f"Epoch {count}", f"loss = {loss:.6g}"]
        if score is not None:
            parts.append(judged(score, self.scoring))
        parts.append(seconds(elapsed))
        if self.max_iter is not None:
            remaining = elapsed / (n_epochs - self.done) * (self.max_iter - n_epochs)
            parts.append(f"{seconds(remaining)} left")
        print_line(parts, self.over)
        self._open = self.over

    def finish(self):
        """End the line."""
        if self._open:
            print()
