"""The pages of the playground in a browser: how soon one stands, and how many pictures a second it plays.

    python tests/benchmarks/page.py [--samples N] [--repeats N]

Pages of two half moons, one network and two side by side, and of digits, opened without a window in Chromium, which draws
without a graphics card then. The median of the seconds until the page is loaded, its first picture drawn; pictures a
second while the film plays, beside how many are asked for, and the milliseconds that the scripts take for one.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sklearn.datasets import load_digits, make_moons

sys.path.insert(0, str(Path(__file__).parents[1] / "playground"))
from browser import Browser

from skbackprop import SigmoidBackpropClassifier
from skbackprop.playground import export_html

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
SCRIPTS = """(() => { const { state, times } = playground; const start = performance.now();
  for (let time = 0; time < 50; time++) {
    Object.assign(state, { playing: true, time: time % (times.length - 1) });
    playground.lastFrame = -Infinity;
    playground.draw();
  }
  state.playing = false;
  return (performance.now() - start) / 50; })()"""
# As the page asks for them.
ASKED = "Math.min(Math.max(playground.times.length / 5, 4), 30)"


def pages(samples):
    """Yield the name of a page with what it is exported of."""
    moons = make_moons(samples, noise=0.2, random_state=0)
    network = SigmoidBackpropClassifier((12, 8), random_state=0, tol=0, max_iter=200)
    yield f"moons, {samples} points", network, moons
    deep = {"hidden_layer_sizes": (8,) * 6, "random_state": 0, "tol": 0}
    pair = [SigmoidBackpropClassifier(init=init, **deep) for init in ("glorot", "auto")]
    yield f"two of six layers, {samples} points", pair, moons
    yield "digits", SigmoidBackpropClassifier((16,), random_state=0, tol=0), load_digits(return_X_y=True)


def measured(path, repeats):
    """Return the figures of a page, in the order of the table."""
    loaded = []
    for _ in range(repeats):
        with Browser(1280, 900) as browser:
            browser.open(path)
            browser.wait(f"{LOADED} > 0")
            loaded.append(browser.run(LOADED))
    with Browser(1280, 900) as browser:
        browser.open(path)
        scripts = browser.run(SCRIPTS)
        browser.run("playground.goTo(0); playground.togglePlay()")
        time.sleep(0.5)
        first, start = browser.run("[playground.pictures, performance.now()]")
        time.sleep(2)
        last, end, playing = browser.run("[playground.pictures, performance.now(), playground.state.playing]")
        assert playing, "the film was over"
        frames, asked = browser.run(f"[playground.times.length, {ASKED}]")
    return frames, statistics.median(loaded), 1000 * (last - first) / (end - start), asked, scripts


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{'page':34} {'kB':>5} {'frames':>6} {'loaded, s':>10} {'pictures/s':>10} {'asked':>5} {'scripts, ms':>11}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        for name, estimators, (X, y) in pages(options.samples):
            page = export_html(estimators, X, y, path)
            frames, loaded, pictures, asked, scripts = measured(path, options.repeats)
            size = len(page.html.encode()) / 1000
            print(f"{name:34} {size:5.0f} {frames:6} {loaded:10.2f} {pictures:10.1f} {asked:5.1f} {scripts:11.1f}")


if __name__ == "__main__":
    main()
