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
    this.rows = shown.map((_, at) => {
      const slider = element("input", {
        type: "range",
        oninput: (event) => page.setFeature(this.rows[at].feature, Number(event.target.value)),
      });
      const name = element("span");
      const out = element("output");
      return { slider, name, out, label: element("label", {}, name, slider, out) };
    });
    this.rows.forEach((row, at) => this.assign(row, at));
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

  /** Let a row be that of a feature. */
  assign(row, feature) {
    if (row.feature === feature) return;
    const name = this.page.data.features[feature];
    const [min, max] = this.page.featureRanges[feature];
    row.feature = feature;
    Object.assign(row.name, { textContent: name, title: name });
    Object.assign(row.slider, { min, max, step: (max - min) / 200 || 1 });
  }

  render() {
    const { page } = this;
    if (document.activeElement !== this.number) this.number.value = page.state.sample;
    // Of features without a slider that of the chosen weight takes the last one.
    const last = this.rows.length - 1;
    const { layer, from } = page.state;
    if (page.data.features.length > last + 1) this.assign(this.rows[last], layer === 0 && from > last ? from : last);
    this.back.disabled = !page.state.whatIf;
    this.rows.forEach(({ slider, out, feature }) => {
      slider.value = page.inputs[feature];
      out.textContent = digits(page.inputs[feature], 3);
    });
  }
}
