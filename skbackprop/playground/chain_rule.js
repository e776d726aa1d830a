// The chain rule for one weight and one sample: in symbols, in numbers, as NumPy, and against a difference quotient.

import { digits, factor } from "./arrays.js";
import { element, select } from "./elements.js";

// Tried for the difference quotient; the one whose neighbour agrees best counts: rounding spoils small ones, curvature
// large ones.
const STEPS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
// Such a difference is what the rounding of the losses leaves.
const ROUNDING = 1e-9;
const MOST_TERMS = 3;
const MOST_SAMPLES = 12;
// A smaller share that is left of pulls up and down moves a weight hardly.
const CANCELLED = 0.1;
// Means of an input that are closer, in its standard deviations, are those of classes that it does not tell apart.
const SAME = 0.05;

const list = (values) => {
  const shown = Array.from(values)
    .slice(0, 4)
    .map((value) => digits(value));
  return `[${shown.join(", ")}${values.length > 4 ? `, … ${values.length} in all` : ""}]`;
};

const sum = (terms) =>
  (terms.length > MOST_TERMS ? [...terms.slice(0, MOST_TERMS), `… (${terms.length} terms)`] : terms).join(" + ");

/** The loss of a sample, as a function of its inputs and targets. */
function lossAt(film, network, theta, inputs, targets) {
  return film.loss.value(targets, network.forward(theta, inputs));
}

/** The central difference of the loss in one parameter, with its step. */
export function differenceQuotient(film, network, theta, at, inputs, targets) {
  const moved = theta.slice();
  const quotients = STEPS.map((h) => {
    moved[at] = theta[at] + h;
    const above = lossAt(film, network, moved, inputs, targets);
    moved[at] = theta[at] - h;
    const below = lossAt(film, network, moved, inputs, targets);
    return { h, quotient: (above - below) / (2 * h), above, below };
  });
  let best = 1;
  const distance = (k) => Math.abs(quotients[k].quotient - quotients[k - 1].quotient);
  for (let k = 2; k < quotients.length; k++) if (distance(k) < distance(best)) best = k;
  return quotients[best];
}

/** All that the chain rule needs of one weight: the pass forward, the deltas, and the derivative. */
export function derivativeOf(film, network, theta, { layer, from, to }, inputs, targets) {
  const Z = network.forward(theta, inputs);
  const loss = film.loss.value(targets, Z);
  film.loss.gradient(targets, Z, network.delta.at(-1));
  network.backward(theta);
  const below = from < 0 ? 1 : network.out[layer][from];
  const delta = network.delta[layer][to];
  return {
    loss,
    below,
    delta,
    derivative: below * delta,
    at: from < 0 ? network.bias(layer, to) : network.weight(layer, from, to),
  };
}

export class ChainRule {
  constructor(page, container) {
    this.page = page;
    this.choices = element("div", { class: "controls" });
    this.table = element("div", { class: "scroll" });
    this.result = element("p", { class: "result", id: "derivative", "aria-live": "polite" });
    this.why = element("div", { id: "why" });
    container.append(this.choices, this.result, this.table, this.why);
    this.offered = "";
  }

  /** The lists to choose a weight from, made anew for another layer. */
  offer() {
    const { page } = this;
    const { film: index, layer, from, to, sample } = page.state;
    const film = page.films[index];
    const key = `${index} ${layer}`;
    if (key !== this.offered) {
      this.offered = key;
      const units = (at) =>
        Array.from({ length: film.sizes[at] }, (_, unit) => [unit, page.unitName(film, at, unit, true)]);
      const layers = Array.from({ length: film.network.depth }, (_, at) => [at, page.layerName(film, at + 1)]);
      const sources = [...(film.hasBiases ? [[-1, "bias"]] : []), ...units(layer)];
      const parts = [
        select("Into", layers, (value) => page.choose(index, Number(value), 0, 0), { id: "layer" }),
        select("unit", units(layer + 1), (value) => page.choose(index, layer, page.state.from, Number(value)), {
          id: "to",
        }),
        select("from", sources, (value) => page.choose(index, layer, Number(value), page.state.to), { id: "from" }),
      ];
      if (page.films.length > 1) {
        parts.unshift(
          select(
            "Training",
            page.films.map((each, at) => [at, each.label]),
            (value) => page.choose(Number(value), 0, 0, 0),
            { id: "film" },
          ),
        );
      }
      this.choices.replaceChildren(...parts.map(([label]) => label), element("span", { class: "faint" }));
      this.lists = Object.fromEntries(parts.map(([, each]) => [each.id, each]));
    }
    Object.assign(this.lists.layer, { value: layer });
    Object.assign(this.lists.to, { value: to });
    Object.assign(this.lists.from, { value: from });
    if (this.lists.film) this.lists.film.value = index;
    this.choices.lastChild.textContent = `sample ${page.numberOf(sample)}${page.state.whatIf ? ", changed" : ""}`;
  }

  render(moment) {
    const { page } = this;
    if (page.state.playing || page.state.trains) {
      this.table.replaceChildren(element("p", { class: "faint" }, "Pause to see the numbers."));
      this.why.replaceChildren();
      return;
    }
    this.offer();
    const film = page.films[page.state.film];
    const { theta, network } = moment;
    const place = page.place(page.state.film);
    const inputs = page.inputsFor(film);
    const targets = film.targetsOf(page.state.sample);
    const quotient = differenceQuotient(
      film,
      network,
      theta,
      derivativeOf(film, network, theta, place, inputs, targets).at,
      inputs,
      targets,
    );
    const found = derivativeOf(film, network, theta, place, inputs, targets);
    const rows = [
      ...this.forward(film, network, theta, place, targets, found),
      ...this.backward(film, network, theta, place, found),
    ];
    rows.push(this.quotientRow(found, quotient), ...this.updateRows(film, place, found.at));
    const head = element(
      "tr",
      {},
      ...["", "in symbols", "in this sample’s numbers", "as NumPy, for all samples"].map((text) =>
        element("th", { scope: "col" }, text),
      ),
    );
    const body = rows.map(([name, symbols, numbers, numpy]) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td", {}, symbols),
        element("td", {}, numbers),
        element("td", {}, element("code", {}, numpy)),
      ),
    );
    this.table.replaceChildren(
      element("table", { class: "rule" }, element("thead", {}, head), element("tbody", {}, ...body)),
    );
    const goal = page.unitName(film, place.layer + 1, place.to);
    const source = page.unitName(film, place.layer, place.from);
    const name = place.from < 0 ? `Bias of ${goal}` : `Weight from ${source} to ${goal}`;
    this.result.textContent =
      `${name}: ${digits(theta[found.at])}. Derivative of this sample’s loss: ${digits(found.derivative, 7)} by the ` +
      `chain rule, ${digits(quotient.quotient, 7)} as a difference quotient.`;
    this.found = { ...found, quotient: quotient.quotient };
    this.explain(film, network, theta, place);
  }

  forward(film, network, theta, { layer, from, to }, targets, found) {
    const rows = [];
    const { depth } = network;
    const A = (l) => (l === 0 ? "X" : `A${l}`);
    for (let l = layer; l < depth; l++) {
      const name = `forward, ${this.page.layerName(film, l + 1)}`;
      const numpy = `Z${l + 1} = ${A(l)} @ W${l + 1}${film.hasBiases ? ` + b${l + 1}` : ""}`;
      const symbols = `z = Σ a w${film.hasBiases ? " + b" : ""}`;
      const terms = Array.from(network.out[l], (a, i) => ({
        i,
        words: `${factor(a)} · ${factor(theta[network.weight(l, i, to)])}`,
      }));
      terms.sort((one, other) => (other.i === from) - (one.i === from));
      const bias = film.hasBiases ? ` + ${factor(theta[network.bias(l, to)])}` : "";
      const numbers =
        l === layer
          ? `z = ${sum(terms.map(({ words }) => words))}${bias} = ${digits(network.raw[l][to])}`
          : `z = ${list(network.raw[l])}`;
      rows.push([name, symbols, numbers, numpy]);
      if (l === depth - 1) break;
      const f = network.functions[l];
      const a = l === layer ? digits(network.out[l + 1][to]) : list(network.out[l + 1]);
      rows.push(["", `a = ${f.f}`, `a = ${a}`, `A${l + 1} = ${f.numpy.replaceAll("Z", `Z${l + 1}`)}`]);
    }
    const output = new Float64Array(film.nOutputs);
    film.loss.predict(network.raw.at(-1).slice(), output);
    const { loss } = film;
    const scaled = film.targets ? " (in units of training)" : "";
    rows.push([
      "prediction",
      loss.link,
      `p = ${list(output)}, y = ${list(targets)}${scaled}`,
      loss.linkNumpy.replaceAll("Z", `Z${depth}`),
    ]);
    rows.push([
      "loss",
      `ℓ = ${loss.formula}`,
      `ℓ = ${digits(found.loss, 6)}`,
      `loss = ${loss.numpy.replaceAll("Z", `Z${depth}`)}`,
    ]);
    return rows;
  }

  backward(film, network, theta, { layer, from, to }, found) {
    const { depth, delta } = network;
    const { loss } = film;
    const deltas = (l) => (l === layer ? digits(delta[l][to], 6) : list(delta[l]));
    const rows = [
      [
        `backward, ${this.page.layerName(film, depth)}`,
        `δ = ∂ℓ/∂z = ${loss.slope}`,
        `δ = ${deltas(depth - 1)}`,
        `D${depth} = ${loss.slopeNumpy.replaceAll("Z", `Z${depth}`)}`,
      ],
    ];
    for (let l = depth - 2; l >= layer; l--) {
      const f = network.functions[l];
      const numpy = f.dnumpy.replace(/\bA\b/g, `A${l + 1}`).replace(/\bZ\b/g, `Z${l + 1}`);
      let numbers = `δ = ${list(delta[l])}`;
      if (l === layer) {
        const terms = Array.from(delta[l + 1], (d, k) => `${factor(theta[network.weight(l + 1, to, k)])} · ${factor(d)}`);
        const slope = f.slope(network.raw[l][to], network.out[l + 1][to]);
        numbers = `δ = ${factor(slope)} · (${sum(terms)}) = ${digits(delta[l][to], 6)}`;
      }
      rows.push([
        `backward, ${this.page.layerName(film, l + 1)}`,
        `δ = f′(z) Σ w δ above, f′ = ${f.df}`,
        numbers,
        `D${l + 1} = D${l + 2} @ W${l + 2}.T * ${numpy.includes(" ") ? `(${numpy})` : numpy}`,
      ]);
    }
    const below = layer === 0 ? "X" : `A${layer}`;
    rows.push([
      "derivative",
      from < 0 ? "∂ℓ/∂b = δ" : "∂ℓ/∂w = a · δ",
      `${from < 0 ? "" : `${factor(found.below)} · `}${factor(found.delta, 6)} = ${digits(found.derivative, 7)}`,
      from < 0 ? `db${layer + 1} = D${layer + 1}.sum(axis=0)` : `dW${layer + 1} = ${below}.T @ D${layer + 1}`,
    ]);
    return rows;
  }

  quotientRow({ derivative }, { h, quotient, above, below }) {
    const apart = Math.abs(derivative - quotient);
    const share = apart / Math.max(Math.abs(derivative), 1e-300);
    const agree =
      derivative === 0 && quotient === 0
        ? "both are 0"
        : share < 1e-6
          ? "the same to six digits"
          : `${digits(apart, 2)} apart${apart < ROUNDING ? ", which is rounding" : ": the loss may have a kink here"}`;
    return [
      "checked",
      "(ℓ(w + h) − ℓ(w − h)) / 2h",
      `(${digits(above, 9)} − ${digits(below, 9)}) / ${digits(2 * h)} = ${digits(quotient, 7)}: ${agree}`,
      `(loss(w + ${h}) - loss(w - ${h})) / ${2 * h}`,
    ];
  }

  updateRows(film, place, at) {
    const next = this.page.nextStep(this.page.state.film);
    if (!next) return [];
    const { rate, rows, gradient, change, words } = next;
    const penalty = film.rule.penalty.some(Boolean) ? ", with the L2 penalty" : "";
    const mean = `the mean over the ${rows} samples of the next step${penalty}`;
    return [
      ["gradient", mean, `g = ${digits(gradient[at], 6)}`, "g = (dW / n) + penalty * W"],
      ["update", `${words}, learning rate ${digits(rate)}`, `w changes by ${digits(change[at], 6)}`, "w += update"],
    ];
  }

  /** What each sample wants of the weight: why it moves, or does not. */
  explain(film, network, theta, place) {
    const parts = film.rows.map((row) => {
      const inputs = film.standardized.subarray(row * film.nFeatures, (row + 1) * film.nFeatures);
      return { row, ...derivativeOf(film, network, theta, place, inputs, film.targetsOf(row)) };
    });
    let [larger, smaller, up, down] = [0, 0, 0, 0];
    for (const { derivative } of parts) {
      if (derivative < 0) [larger, up] = [larger - derivative, up + 1];
      else if (derivative > 0) [smaller, down] = [smaller + derivative, down + 1];
    }
    const net = larger - smaller;
    const left = Math.abs(net) / (larger + smaller);
    const words =
      `Up it is pulled by ${up} of ${parts.length} samples, together by ${digits(larger, 3)}; ` +
      `down by ${down}, together by ${digits(smaller, 3)}: `;
    const outcome =
      larger + smaller === 0
        ? "none has anything to say of it."
        : left < CANCELLED
          ? `they cancel but for ${digits(100 * left, 2)} %, so it hardly moves.`
          : `it moves ${net > 0 ? "up" : "down"}.`;
    const nodes = [element("h3", {}, "Why this weight moves, or does not"), element("p", {}, words + outcome)];
    const input = place.from < 0 ? "" : this.inputWords(film, theta, parts);
    if (input) nodes.push(element("p", {}, input));
    if (parts.length <= MOST_SAMPLES) nodes.push(this.samplesTable(film, parts));
    this.why.replaceChildren(...nodes);
  }

  /** What there is to say of the input that a weight multiplies: that it is a bias, or what it tells of the classes. */
  inputWords(film, theta, parts) {
    const { classes, kind } = this.page.data;
    const [{ below: first, at }] = parts;
    if (parts.every(({ below }) => below === first)) {
      const where = film.hasBiases ? "" : `: at ${digits(-first * theta[at], 3)}`;
      return first === 0
        ? "Its input is 0 for every sample, so the loss is the same whatever it is."
        : `Its input is ${digits(first)} for every sample, so it acts as a bias: it moves the scores of all samples ` +
            `alike, and sets where the others’ sum turns from no to yes${where}.`;
    }
    if (kind !== "binary") return "";
    const mean = (some) => some.reduce((total, { below }) => total + below, 0) / some.length;
    const [no, yes] = [0, 1].map((target) => mean(parts.filter(({ row }) => film.targetsOf(row)[0] === target)));
    const all = mean(parts);
    const deviation = Math.sqrt(parts.reduce((total, { below }) => total + (below - all) ** 2, 0) / parts.length);
    // With a layer in between, equal means may still tell them apart together with other inputs.
    const same = film.network.depth === 1 && Math.abs(yes - no) < SAME * deviation;
    return (
      `Its input is ${digits(yes, 3)} on average where the target is ${classes.at(-1)}, and ${digits(no, 3)} where it is ` +
      `${classes[0]}${same ? ": it does not tell them apart" : ""}.`
    );
  }

  samplesTable(film, parts) {
    const { page } = this;
    const cells = (tag, texts) =>
      texts.map((text, at) => element(tag, { class: at ? "number" : "", ...(tag === "th" ? { scope: "col" } : {}) }, text));
    const rows = parts.map(({ row, below, delta, derivative }) => {
      const inputs = Array.from(page.samples.X.subarray(row * film.nFeatures, (row + 1) * film.nFeatures));
      const name = `${page.numberOf(row)}: [${inputs
        .slice(0, 4)
        .map((x) => digits(x, 3))
        .join(", ")}${inputs.length > 4 ? ", …" : ""}] → ${page.targetWords(film, row)}`;
      return element(
        "tr",
        {},
        ...cells("td", [
          name,
          digits(below),
          digits(delta),
          digits(derivative),
          derivative < 0 ? "▲ up" : derivative > 0 ? "▼ down" : "–",
        ]),
      );
    });
    const titles = ["sample → target", "input a", "δ", "derivative a · δ", "pulls it"];
    const head = element("tr", {}, ...cells("th", titles));
    return element(
      "div",
      { class: "scroll" },
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    );
  }
}
