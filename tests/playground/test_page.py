"""The page in a browser: slider, play, clicks, keyboard, training; and nothing on the console."""

import numpy as np
import pytest
from browser import CHROMIUM, Browser
from playground_helpers import data_of
from sklearn.datasets import load_digits, load_iris, make_moons

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.inspection import trace_backpropagation
from skbackprop.playground import export_html

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

X, y = make_moons(120, noise=0.2, random_state=0)
LEFT, UP, RIGHT, DOWN, END, HOME, SPACE = 37, 38, 39, 40, 35, 36, 32
NASTY = "</script><b>&"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "moons.html"
    names = {"feature_names": ["width", "height"], "class_names": [NASTY, "other"]}
    return export_html(SigmoidBackpropClassifier((5, 3), random_state=0), X, y, path, epochs=12, **names)


@pytest.fixture
def browser(page):
    with Browser() as browser:
        browser.open(page.path)
        yield browser
        assert browser.errors == []


def test_the_page_computes_what_the_estimator_does(page, browser):
    (fitted,) = page.estimators
    script = """(() => {
      const { films: [film], moments: [{ theta, network }] } = playground;
      const rows = [...Array(film.samples.n).keys()];
      const gradient = new Float64Array(theta.length);
      film.lossOfRows(network, theta, rows, film.rule.penaltyOfAll, gradient);
      return [rows.map((row) => film.predict(theta, film.standardized, 2 * row)[0]), Array.from(gradient)];
    })()"""
    predictions, gradient = browser.run(script)
    np.testing.assert_allclose(predictions, fitted.predict_proba(X)[:, 1], atol=1e-5)
    layers = trace_backpropagation(fitted, X, y).layers
    expected = [layer.weights_gradient.ravel() for layer in layers] + [layer.biases_gradient for layer in layers]
    np.testing.assert_allclose(gradient, np.concatenate(expected), atol=1e-5)
    assert NASTY in browser.run("document.body.innerText")
    assert browser.run("document.querySelectorAll('b').length") == 0


@pytest.mark.parametrize("settings", [{}, {"solver": "sgd"}, {"solver": "sgd", "momentum": 0}], ids=str)
def test_ten_steps_are_those_of_fit(settings, tmp_path):
    """Each epoch is one step, and the second film is ten epochs further."""
    estimator = SigmoidBackpropClassifier((4,), random_state=0, init="glorot", batch_size=len(X), **settings)
    path = tmp_path / "page.html"
    page = export_html(estimator, X, y, path, epochs=10)
    with Browser() as browser:
        browser.open(path)
        browser.run("playground.goTo(0)")
        browser.settle()
        for _ in range(10):
            browser.click("#one-step")
        theta = browser.run("Array.from(playground.moments[0].theta)")
        assert browser.errors == []
    coefs, intercepts = page.estimators[0].coefs_, page.estimators[0].intercepts_
    inputs = data_of(page)["films"][0]["inputs"]
    assert inputs is None
    np.testing.assert_allclose(theta, np.concatenate([*map(np.ravel, coefs), *intercepts]), atol=1e-4)


def test_time_goes_by_slider_keyboard_curve_and_play(browser):
    assert browser.run("playground.state.time") == 12
    browser.run("document.querySelector('#epoch').focus()")
    browser.press("Home", HOME)
    assert browser.run("playground.state.time") == 0
    browser.press("ArrowRight", RIGHT, times=3)
    assert browser.run("playground.times[playground.state.time]") == 3
    assert browser.run("document.querySelector('#epoch').getAttribute('aria-valuetext')") == "epoch 3 of 12"
    before = browser.run("Array.from(playground.moments[0].theta)")
    browser.run("document.querySelector('#step').focus()")
    browser.press("End", END)
    stepped = browser.run("Array.from(playground.moments[0].theta)")
    after = browser.run("Array.from(playground.films[0].weightsAt(4))")
    assert stepped != before
    np.testing.assert_allclose(stepped, after, atol=1e-5)
    browser.click("#epoch", x=0.25)
    assert browser.run("playground.state.time") == 3
    browser.click(".losses", x=0.5)
    assert browser.run("playground.state.time") in {5, 6, 7}
    browser.run("document.querySelector('#play').focus()")
    browser.press(" ", SPACE)
    browser.wait("playground.state.playing || playground.state.time === 12")
    browser.wait("playground.state.time === 12 && !playground.state.playing")


# Where on the drawing the line of a weight is, three quarters of the way up, and a unit.
EDGE = """(() => {
  const edge = playground.views[0][1].edges.find(({ layer, from, to }) => layer === 1 && from === 4 && to === 2);
  const { x1, y1, x2, y2 } = edge;
  const { width, height } = document.querySelector('.network').viewBox.baseVal;
  return [(0.25 * x1 + 0.75 * x2) / width, (0.25 * y1 + 0.75 * y2) / height]; })()"""
UNIT = """(() => {
  const [x, y] = playground.views[0][1].places[1][3];
  const { width, height } = document.querySelector('.network').viewBox.baseVal;
  return [x / width, y / height]; })()"""


def test_numbers_are_shown_under_the_mouse(page, browser):
    (fitted,) = page.estimators
    tip = "document.querySelector('#tip').hidden ? '' : document.querySelector('#tip').textContent"
    browser.point(".network", *browser.run(EDGE))
    words, _, weight = browser.run(tip).replace("\u2212", "-").rpartition(" ")
    assert words == "hidden 1, unit 5 → hidden 2, unit 3: weight"
    assert float(weight) == pytest.approx(fitted.coefs_[1][4, 2], rel=1e-3)
    browser.point(".network", *browser.run(UNIT))
    words, _, bias = browser.run(tip).replace("\u2212", "-").rpartition(" ")
    assert words.startswith("hidden 1, unit 4: raw score")
    assert float(bias) == pytest.approx(
        browser.run("playground.moments[0].theta[playground.films[0].network.bias(0, 3)]"), 1e-3
    )
    browser.point("h1")
    assert browser.run(tip) == ""


def test_a_click_on_a_weight_shows_its_chain_rule(browser):
    browser.click(".network", *browser.run(EDGE))
    assert browser.run("[playground.state.layer, playground.state.from, playground.state.to]") == [1, 4, 2]
    found = browser.run("playground.chain.found")
    assert found["derivative"] == pytest.approx(found["quotient"], rel=1e-6)
    assert "the same to six digits" in browser.run("document.querySelector('#chain').textContent")
    browser.run("document.querySelector('.network').focus()")
    browser.press("ArrowLeft", LEFT)
    browser.press("ArrowDown", DOWN)
    assert browser.run("playground.state.layer") == 0
    assert browser.run("document.querySelector('#layer').value") == "0"
    found = browser.run("playground.chain.found")
    assert found["derivative"] == pytest.approx(found["quotient"], rel=1e-6)


def test_the_page_says_why_a_weight_moves_and_what_it_does(tmp_path):
    """The notebook's three weights: the answer, what tells nothing of it, and the bias that the unit does not have."""
    inputs, answers = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]), np.array(["no", "yes", "yes", "no"])
    plain = {"solver": "sgd", "momentum": 0, "learning_rate": "constant", "learning_rate_init": 4, "alpha": 0, "tol": 0}
    plain |= {"batch_size": 4, "clip_norm": None, "standardize": False, "init": "uniform", "fit_intercept": False}
    path = tmp_path / "page.html"
    unit = SigmoidBackpropClassifier((), loss="squared_error", random_state=0, **plain)
    export_html(unit, inputs, answers, path, epochs=200)
    with Browser() as browser:
        browser.open(path)
        words = []
        for weight in range(3):
            browser.run(f"playground.choose(0, 0, {weight}, 0)")
            browser.settle()
            words.append(browser.run("[...document.querySelectorAll('#why p')].map((p) => p.textContent).join(' ')"))
            assert browser.run("document.querySelector('#derivative').textContent").startswith(f"Weight from x{weight + 1}")
        assert browser.errors == []
    assert "it moves up. Its input is 1 on average where the target is yes, and 0 where it is no." in words[0]
    assert "so it hardly moves. Its input is 0.5 on average where the target is yes, and 0.5 where it is no" in words[1]
    assert words[1].endswith("it does not tell them apart.")
    assert "it moves down. Its input is 1 for every sample, so it acts as a bias" in words[2]


def test_what_is_said_to_hardly_move_hardly_does(page, browser):
    """Of all weights at all epochs: the gradient is small beside the sum of the samples' own ones."""
    script = """(() => { playground.goToEpoch(%d); playground.choose(0, 0, %d, %d); playground.draw();
      return document.querySelector('#why p').textContent; })()"""
    for epoch, source, unit in [(0, 0, 0), (3, 1, 2), (12, 0, 4), (12, 1, 1)]:
        text = browser.run(script % (epoch, source, unit))
        found = browser.run(f"""(() => {{
          const [film] = playground.films;
          const theta = film.weightsAt(film.frameOf({epoch}));
          return film.rows.map((row) => {{
            film.loss.gradient(film.targetsOf(row), film.network.forward(theta, film.standardized, 2 * row),
                               film.network.delta.at(-1));
            film.network.backward(theta);
            return film.network.out[0][{source}] * film.network.delta[0][{unit}];
          }});
        }})()""")
        pulls = np.array(found)
        assert len(pulls) == len(X)
        share = abs(pulls.sum()) / np.abs(pulls).sum()
        assert ("hardly moves" in text) == (share < 0.1)
        assert share < 0.1 or f"moves {'down' if pulls.sum() > 0 else 'up'}" in text


def test_samples_are_chosen_and_changed(browser):
    browser.run("document.querySelector('canvas.data').focus()")
    sample = browser.run("playground.state.sample")
    browser.press("ArrowRight", RIGHT)
    assert browser.run("playground.state.sample") == (sample + 1) % len(X)
    before = browser.run("playground.chain.found.loss")
    browser.run("document.querySelector('.features input').focus()")
    browser.press("End", END)
    assert browser.run("playground.chain.found.loss") != before
    browser.click("canvas.data", x=0.5, y=0.5)
    assert browser.run("playground.state.whatIf") is None


def test_a_click_on_a_pixel_chooses_its_weight(tmp_path):
    """Of all inputs, also of those that neither the drawing of the network nor the sliders begin with."""
    inputs, targets = load_digits(return_X_y=True)
    path = tmp_path / "page.html"
    export_html(SigmoidBackpropClassifier((3,), random_state=0), inputs[:200], targets[:200], path, epochs=3)
    with Browser() as browser:
        browser.open(path)
        assert browser.run("playground.views[0][1].units.map((layer) => layer.length)") == [16, 3, 10]
        assert "and 48 more" in browser.run("document.querySelector('.network').textContent")
        # Row 3, column 4 of an image of 8 x 8 pixels, as high as the canvas of 420 x 320.
        browser.click("canvas.data", x=(50 + 4.5 * 40) / 420, y=3.5 / 8)
        assert browser.run("[playground.state.layer, playground.state.from]") == [0, 28]
        assert browser.run("[...document.querySelectorAll('.features span')].at(-1).textContent") == "x29"
        browser.run("[...document.querySelectorAll('.features input')].at(-1).focus()")
        browser.press("End", END)
        changed = browser.run("Array.from(playground.inputs)")
        sample = browser.run("playground.state.sample")
        assert changed == pytest.approx([*inputs[sample, :28], inputs[:200, 28].max(), *inputs[sample, 29:]])
        browser.click("canvas.data", x=0.02, y=0.5)
        assert browser.run("playground.state.from") == 28
        assert browser.errors == []


def test_training_goes_on_by_other_rules(browser):
    browser.click("#one-epoch")
    losses = browser.run("playground.state.here.losses[0]")
    assert len(losses) == 1
    browser.run("""(() => { const list = document.querySelector('#activation'); list.value = 'ReLU';
                   list.dispatchEvent(new Event('change')); })()""")
    browser.click("#go-on")
    browser.wait("playground.state.here.losses[0].length > 3")
    browser.click("#go-on")
    assert browser.run("playground.moments[0].network.names[0]") == "ReLU"
    assert np.isfinite(browser.run("playground.state.here.losses[0].at(-1)"))
    browser.run("""(() => { const rate = document.querySelector('#rate'); rate.value = 0;
                   rate.dispatchEvent(new Event('change')); })()""")
    weights = "Array.from(playground.state.here.trainers[0].theta)"
    before = browser.run(weights)
    browser.click("#one-step")
    assert browser.run(weights) == before
    browser.click("#back")
    assert browser.run("playground.state.here") is None


def test_two_films_on_a_telephone_in_the_dark(tmp_path):
    """The vanishing gradient is seen, and cured; nothing is wider than the screen."""
    pair = [SigmoidBackpropClassifier((8,) * 6, init=init, standardize=True, random_state=0) for init in ("glorot", "auto")]
    path = tmp_path / "page.html"
    page = export_html(pair, X, y, path, epochs=2)
    with Browser(390, 800, dark=True) as browser:
        browser.open(path)
        browser.run("playground.goTo(0)")
        browser.settle()
        verdicts = browser.run("playground.views.map((views) => views[3].verdict.textContent)")
        assert verdicts[0].startswith("Vanishing")
        assert verdicts[1].startswith("The error at layer 1 is")
        assert browser.run("document.documentElement.scrollWidth") == 390
        browser.run("""(() => { const list = document.querySelector('#film'); list.value = '1';
                       list.dispatchEvent(new Event('change')); })()""")
        browser.settle()
        found = browser.run("playground.chain.found")
        assert browser.run("playground.state.film") == 1
        assert found["derivative"] == pytest.approx(found["quotient"], rel=1e-6)
        browser.click("#play")
        browser.wait("playground.state.time === 2 && !playground.state.playing")
        assert browser.run("playground.moments.map(({ epoch }) => epoch)") == [2, 2]
        (tmp_path / "frame.html").write_text(f"<!DOCTYPE html>{page._repr_html_()}")
        browser.open(tmp_path / "frame.html")
        browser.wait("document.querySelector('iframe').contentWindow.playground?.pictures > 0")
        assert browser.errors == []


def test_everything_that_takes_focus_has_a_name(browser):
    """For those who hear the page: as the browser tells it to a screen reader."""
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    kinds = {"button", "slider", "combobox", "spinbutton", "image", "region", "article"}
    named = {kind: [] for kind in kinds}
    for node in nodes:
        if not node["ignored"] and node["role"]["value"] in kinds:
            named[node["role"]["value"]].append(node.get("name", {}).get("value", ""))
    assert all(all(names) for names in named.values()), named
    assert {"Epoch", "Steps of the next epoch", "width", "height"} <= set(named["slider"])
    assert {"Into", "unit", "from", "Rule", "Hidden units"} <= set(named["combobox"])
    assert any(name.startswith("Across width, up height.") for name in named["image"])


def test_on_paper_there_is_what_is_shown_and_nothing_to_press(browser):
    browser.run("playground.goToEpoch(7)")
    browser.settle()
    browser.send("Emulation.setEmulatedMedia", media="print")
    words = browser.run("document.body.innerText")
    assert "7 of 12" in words
    assert "Weight from" in words
    assert "kept: epoch 12" in browser.run("document.querySelector('.losses').textContent")
    pressed = "[...document.querySelectorAll('button, input, select')].filter((node) => node.offsetParent).length"
    assert browser.run(pressed) == 0


def test_a_page_that_shows_a_part_says_so(tmp_path):
    inputs, targets = make_moons(3000, noise=0.2, random_state=0)
    path = tmp_path / "page.html"
    export_html(SigmoidBackpropClassifier((40, 40), random_state=0, tol=0), inputs, targets, path, epochs=80)
    with Browser() as browser:
        browser.open(path)
        notes = browser.run("document.querySelector('#notes').textContent")
        frames = browser.run("playground.times.length")
        assert "2000 of 3000 samples, drawn at random, are on this page" in notes
        assert frames < 81
        assert f"{frames} of 81 moments stand for all." in notes
        assert browser.run("document.querySelector('#step').disabled")
        assert browser.errors == []


@pytest.mark.parametrize("kind", ["one input", "residuals", "classes"])
def test_other_data_are_drawn(kind, tmp_path):
    iris = load_iris(return_X_y=True)
    estimator, inputs, targets = {
        "one input": (SigmoidBackpropRegressor(hidden_layer_sizes=(3,), random_state=0), X[:, :1], X[:, 1]),
        "residuals": (SigmoidBackpropRegressor(hidden_layer_sizes=(3,), random_state=0), iris[0], iris[0][:, 0]),
        "classes": (SigmoidBackpropClassifier((3,), random_state=0, solver="lbfgs"), *iris),
    }[kind]
    path = tmp_path / "page.html"
    export_html(estimator, inputs, targets, path, epochs=3)
    with Browser() as browser:
        browser.open(path)
        if kind == "residuals":
            browser.run("playground.views[0][2].kind = 'residuals'; playground.render()")
            browser.settle()
        assert browser.run("document.querySelector('canvas.data').getAttribute('aria-label').length") > 20
        if kind == "classes":
            assert browser.run("document.querySelector('#step').disabled")
            browser.click("#one-step")
        assert browser.errors == []
