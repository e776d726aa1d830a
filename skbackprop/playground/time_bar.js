// The time: a slider over the epochs, one over the steps of the next epoch, and the button that plays.

import { element } from "./elements.js";

export class TimeBar {
  constructor(page, container) {
    this.page = page;
    const { times } = page;
    this.play = element("button", { id: "play", onclick: () => page.togglePlay() });
    this.epoch = element("input", {
      type: "range",
      id: "epoch",
      min: 0,
      max: times.length - 1,
      value: 0,
      "aria-label": "Epoch",
      oninput: (event) => page.goTo(Number(event.target.value)),
    });
    this.steps = element("input", {
      type: "range",
      id: "step",
      min: 0,
      value: 0,
      "aria-label": "Steps of the next epoch",
      oninput: (event) => page.goToStep(Number(event.target.value)),
    });
    this.epochOut = element("output", { for: "epoch" });
    this.stepOut = element("output", { for: "step" });
    container.append(
      this.play,
      element("label", {}, "Epoch", this.epoch, this.epochOut),
      element("label", { class: "steps" }, "Step", this.steps, this.stepOut),
    );
  }

  render() {
    const { page, play, epoch, steps, epochOut, stepOut } = this;
    const { time, step, playing, here } = page.state;
    play.textContent = playing ? "❚❚ Pause" : "▶ Play";
    play.setAttribute("aria-pressed", String(playing));
    epoch.value = time;
    const words = `${page.times[time]} of ${page.times.at(-1)}`;
    epochOut.textContent = here ? `${words}, then on` : words;
    epoch.setAttribute("aria-valuetext", `epoch ${words}`);
    const most = page.mostSteps;
    steps.disabled = !most;
    steps.max = most || 1;
    steps.value = step;
    stepOut.textContent = most ? `${step} of ${most}` : "–";
    steps.title = most ? "The steps that lead from this epoch to the next" : page.whyNoSteps;
  }
}
