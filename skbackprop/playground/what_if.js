// The chosen sample, and a slider for each of its features: what if it were another?

import { digits } from "./arrays.js";
import { element } from "./elements.js";

// Of more features the first ones have sliders.
const MOST_FEATURES = 12;

/** Sliders for the features of the chosen sample: what if they were others? */
export class WhatIf {
  constructor(page, container) {
    this.page = page;
    const shown = page.data.features.slice(0, MOST_FEATURES);
    this.number = element("input", {
      type: "number",
      id: "sample",
      min: 0,
      max: page.samples.n - 1,
      value: 0,
      onchange: (event) =>
        page.chooseSample(Math.min(Math.max(Math.round(Number(event.target.value)) || 0, 0), page.samples.n - 1)),
    });
    this.back = element("button", { onclick: () => page.chooseSample(page.state.sample) }, "As it is");
    this.rows = shown.map((name, at) => {
      const [low, high] = page.featureRanges[at];
      const slider = element("input", {
        type: "range",
        min: low,
        max: high,
        step: (high - low) / 200 || 1,
        oninput: (event) => page.setFeature(at, Number(event.target.value)),
      });
      const out = element("output");
      return { slider, out, label: element("label", {}, element("span", { title: name }, name), slider, out) };
    });
    const more = page.data.features.length - shown.length;
    container.append(
      element("div", { class: "controls" }, element("label", {}, "Sample", this.number), this.back),
      element(
        "div",
        { class: "features", role: "group", "aria-label": "What if the sample were another?" },
        ...this.rows.map(({ label }) => label),
      ),
      ...(more > 0 ? [element("p", { class: "faint" }, `and ${more} more features`)] : []),
    );
  }

  render() {
    const { page } = this;
    if (document.activeElement !== this.number) this.number.value = page.state.sample;
    this.back.disabled = !page.state.whatIf;
    this.rows.forEach(({ slider, out }, at) => {
      slider.value = page.inputs[at];
      out.textContent = digits(page.inputs[at], 3);
    });
  }
}
