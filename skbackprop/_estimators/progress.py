"""What `verbose` prints."""

import sys
from time import perf_counter


class ProgressLine:
    """A line an epoch: on a terminal always the same one, else one below the other.

    Parameters
    ----------
    max_iter : int or None
        Most epochs; None if there is no telling.
    done : int
        Epochs that were done before this run.
    """

    def __init__(self, max_iter, done=0):
        self.max_iter = max_iter
        self.done = done
        self.start = perf_counter()
        self.on_terminal = sys.stdout.isatty()
        self._width = 0

    def print(self, n_epochs, loss, score):
        """Print what is known after so many epochs."""
        elapsed = perf_counter() - self.start
        parts = [f"loss = {loss:.6f}"]
        if score is not None:
            parts.append(f"validation score = {score:.6f}")
        parts.append(f"{elapsed:.1f} s")
        if self.max_iter is None:
            count = f"{n_epochs}"
        else:
            remaining = elapsed / (n_epochs - self.done) * (self.max_iter - n_epochs)
            count = f"{n_epochs:{len(str(self.max_iter))}d} of {self.max_iter}"
            parts.append(f"at most {remaining:.1f} s left")
        text = ", ".join([f"Iteration {count}", *parts])
        # The rest of a longer line before must go.
        self._width = max(self._width, len(text))
        print(*(["\r", text.ljust(self._width)] if self.on_terminal else [text, "\n"]), sep="", end="", flush=True)

    def finish(self):
        """End the line."""
        if self.on_terminal and self._width:
            print()
