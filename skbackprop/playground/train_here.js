// Training on in the browser, by the estimator's rule or by one that the reader chooses.

import { ACTIVATIONS } from "./activations.js";
import { digits } from "./arrays.js";
import { element, select } from "./elements.js";
import { OPTIMIZERS } from "./optimizers.js";

// Milliseconds of each picture that go into training.
const BUDGET = 14;

export class TrainHere {
  constructor(page, container) {
    this.page = page;
    this.oneStep = element(
      "button",
      { id: "one-step", onclick: () => this.train((trainer) => trainer.step()[0]) },
      "One step",
    );
    this.oneEpoch = element(
      "button",
      { id: "one-epoch", onclick: () => this.train((trainer) => trainer.epoch()) },
      "One epoch",
    );
    this.goOn = element("button", { id: "go-on", onclick: () => page.set({ trains: !page.state.trains, playing: false }) });
    this.back = element("button", { id: "back", onclick: () => page.leaveHere() }, "Back to the film");
    this.rate = element("input", {
      type: "number",
      id: "rate",
      min: 0,
      step: "any",
      placeholder: "as in fit",
      onchange: () => this.change(),
    });
    const same = [["", "as trained"]];
    const solvers = Object.entries(OPTIMIZERS).map(([name, { words }]) => [name, words]);
    const activations = Object.entries(ACTIVATIONS).map(([name, { name: words }]) => [name, words]);
    const [solver, solvers_] = select("Rule", [...same, ...solvers], () => this.change(), { id: "solver" });
    const [activation, activations_] = select("Hidden units", [...same, ...activations], () => this.change(), {
      id: "activation",
    });
    Object.assign(this, { solver: solvers_, activation: activations_ });
    this.words = element("p", { class: "faint", "aria-live": "polite" });
    container.append(
      element("div", { class: "controls" }, this.oneStep, this.oneEpoch, this.goOn, this.back),
      element("div", { class: "controls" }, element("label", {}, "Learning rate", this.rate), solver, activation),
      this.words,
    );
  }

  /** The trainers go by what the reader has set. */
  change() {
    for (const trainer of this.page.startHere().trainers) this.apply(trainer);
    this.page.render();
  }

  apply(trainer) {
    const solver = this.solver.value || trainer.film.solver;
    if (solver !== trainer.solver) trainer.useSolver(solver);
    const typed = Number(this.rate.value);
    const other = this.solver.value && this.solver.value !== trainer.film.solver;
    trainer.ownRate = this.rate.value !== "" && typed >= 0 ? typed : other ? OPTIMIZERS[solver].rate : null;
    const names = trainer.film.activations;
    trainer.network.use(this.activation.value ? names.map(() => this.activation.value) : names);
  }

  /** Train all films by steps or epochs, `again` as long as there is time. */
  train(part, again = false) {
    const { page } = this;
    const here = page.startHere();
    if (!here.begun) here.trainers.forEach((trainer) => this.apply(trainer));
    here.begun = true;
    const end = performance.now() + BUDGET;
    do {
      here.trainers.forEach((trainer, index) => {
        const before = trainer.epochs;
        const loss = part(trainer);
        here.latest[index] = loss;
        if (trainer.epochs > before) here.losses[index].push(loss);
      });
    } while (again && performance.now() < end);
    page.render();
  }

  /** Part of a picture while training goes on: epochs, or of slow ones steps. */
  tick() {
    const slow = this.page.films.some((film) => film.work > 2e7);
    this.train(slow ? (trainer) => trainer.step()[0] : (trainer) => trainer.epoch(), slow);
  }

  render() {
    const { page } = this;
    const { here, trains } = page.state;
    this.goOn.textContent = trains ? "❚❚ Pause" : "▶ Train on";
    this.goOn.setAttribute("aria-pressed", String(trains));
    this.back.disabled = !here;
    const starts = page.films.map((film) => {
      if (film.rule.exact && film.memoryFor(page.frames[page.films.indexOf(film)]).possible)
        return "the very steps that fit would take";
      return film.rule.name
        ? "its rule, which remembers nothing of earlier steps here"
        : `Adam, for ${film.rule.given} is not known here`;
    });
    this.words.textContent = here
      ? here.trainers
          .map(
            (trainer, index) =>
              `${here.losses[index].length} epochs and ${trainer.stepInEpoch} steps trained here, ` +
              `learning rate ${digits(trainer.rate)}, loss ${digits(here.latest[index] ?? NaN)}`,
          )
          .join("; ")
      : `From the moment shown: ${[...new Set(starts)].join("; ")}.`;
  }
}
