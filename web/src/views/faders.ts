// Faders: named directions. What one does, and what it does besides, stands there before it is moved.
import * as api from "../api";
import { bars, curve } from "../charts";
import { figure, fill, h, named } from "../dom";
import { note, pointPanel, pointTable, trouble } from "../lists";
import { Slider } from "../slider";
import type { ViewMaker } from "../studio";

export const faders: ViewMaker = async (studio, host) => {
  const page = h("div", { class: "page" }, h("h1", {}, "Faders"));
  fill(host, page);
  const all = studio.info.has.faders ? await api.get<api.Fader[]>("faders") : [];
  if (!all.length) {
    page.append(note("off", "No faders.", "This space has none yet; oplas fader makes one from pairs, a parameter or labels, with its dose–response and its side effects."));
    return () => undefined;
  }
  const latest = new api.Latest();
  const subject = h("section", { class: "chosen", "aria-label": "The point chosen" });
  const result = h("section", { class: "result", "aria-label": "After the fader" });

  const shown = async (): Promise<void> => {
    const i = studio.chosen;
    fill(result);
    if (i === null) return;
    fill(subject, await pointPanel(studio, i).catch(trouble));
  };
  const apply = async (fader: api.Fader, amount: number): Promise<void> => {
    const i = studio.chosen ?? 0;
    try {
      const moved = await latest.run((signal) => api.post<api.Moved>(`faders/${encodeURIComponent(fader.name)}`, { i: [i], amount, k: 8 }, signal));
      if (!moved) return;
      if (moved.refused) return fill(result, note("off", "Refused.", moved.refused));
      fill(result, pointTable(studio, `Nearest after ${named(fader.name)} by ${figure(amount)} ${fader.unit}`, moved.neighbours, { most: 8 }),
        !moved.truth.known && h("p", { class: "muted small" }, moved.truth.why));
    } catch (error) {
      fill(result, trouble(error));
    }
  };
  const strip = (fader: api.Fader): HTMLElement => {
    const chart = curve(fader.response, `Dose–response of ${named(fader.name)}`, fader.unit);
    const middle = Math.min(Math.max(0, fader.min), fader.max);
    const slider = new Slider({ ...fader, name: "amount", value: middle, start: middle }, (value) => chart.at(value));
    chart.at(middle);
    const side = Object.entries(fader.side).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    return h("section", { class: `fader${fader.certified ? "" : " off"}` }, h("h2", {}, named(fader.name), fader.certified ? null : h("span", { class: "tag" }, "not certified")),
      h("p", { class: "muted small" }, fader.why),
      fader.response.length > 1 && h("div", {}, h("h3", {}, "Dose and response"), chart.element),
      side.length ? bars("Side effects: at most so much on every other probe", side.map(([name, value]) => ({ name, value })), figure) : h("p", { class: "muted small" }, "No other probe to disturb."),
      slider.element, h("button", { type: "button", class: fader.certified ? "as-button" : "quiet", onclick: () => void apply(fader, slider.value) }, fader.certified ? "Apply to the point chosen" : "Apply all the same"));
  };
  page.append(h("p", { class: "lead" }, "Each fader moves one attribute. Its effect and the bound on everything else were measured on held-out data."),
    h("div", { class: "desk" }, h("div", { class: "faders" }, all.map(strip)), h("div", {}, subject, result)));
  const undo = studio.on("chosen", () => void shown());
  if (studio.chosen === null) studio.choose(0);
  else void shown();
  return () => {
    undo();
    latest.stop();
  };
};
