// Parts: what a point is made of, found among the others and taken away one by one; each to be heard.
import * as api from "../api";
import { fill, figure, h } from "../dom";
import { hush, soundButton } from "../hear";
import { pointPanel, trouble, note } from "../lists";
import type { ViewMaker } from "../studio";

export const parts: ViewMaker = (studio, host) => {
  const latest = new api.Latest();
  const subject = h("section", { class: "chosen", "aria-label": "The point chosen" });
  const result = h("section", { class: "result", "aria-label": "Its parts" });
  const most = h("select", { id: "most", onchange: () => void show() }, [2, 3, 4, 5, 6, 8].map((k) => h("option", { value: k, selected: k === 4 }, k)));
  const number = h("input", { id: "which", type: "number", min: 0, max: studio.info.count - 1, step: 1, inputmode: "numeric", onchange: () => studio.choose(Math.min(Math.max(0, Math.round(Number(number.value))), studio.info.count - 1)) });

  const show = async (): Promise<void> => {
    hush();
    const i = studio.chosen ?? 0;
    number.value = String(i);
    fill(result, h("p", { class: "muted" }, "Taking it apart …"));
    try {
      const answer = await latest.run((signal) => Promise.all([pointPanel(studio, i), api.post<api.Parts>("parts", { i, most: Number(most.value) }, signal)]));
      if (!answer) return;
      fill(subject, answer[0]);
      fill(result, told(answer[1]));
    } catch (error) {
      fill(result, trouble(error));
    }
  };
  const told = (found: api.Parts): HTMLElement => {
    if (!found.parts.length) return note("off", "No parts.", found.why || "Nothing in the index explains this point.");
    let before = 1;
    const rows = found.parts.map((part) => {
      const share = Math.max(before - part.left, 0);
      before = part.left;
      return h("tr", {}, h("td", { class: "hear" }, part.audio && soundButton(part.audio, part.name)),
        h("td", {}, h("button", { type: "button", class: "link", onclick: () => studio.choose(part.i) }, part.name)),
        h("td", { class: "number" }, `${part.gain > 0 ? "+" : ""}${figure(part.gain)} dB`), h("td", { class: "number" }, `${figure(100 * share)} %`),
        h("td", { class: "bar", "aria-hidden": "true" }, h("i", { style: { width: `${100 * share}%` } })));
    });
    return h("div", { class: "listed" }, h("table", { class: "bars" }, h("caption", {}, "Parts, the one that explains most first"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "play")), h("th", { scope: "col" }, "part"), h("th", { scope: "col", class: "number" }, "level"), h("th", { scope: "col", class: "number" }, "explains"), h("th", { scope: "col" }, h("span", { class: "unseen" }, "share")))),
      h("tbody", {}, rows)), h("p", {}, h("b", {}, `${figure(100 * found.unexplained)} %`), " of the latent's energy stays unexplained."), h("p", { class: "muted small" }, found.why));
  };

  fill(host, h("div", { class: "page" }, h("h1", {}, "Parts"), h("p", { class: "lead" }, "The point as a sum of others: parts found one after the other among the stems of the index."),
    h("p", { class: "line" }, h("label", { for: "which" }, "Point"), number, h("label", { for: "most" }, "Parts, at most"), most),
    h("div", { class: "desk" }, subject, result)));
  const undo = studio.on("chosen", () => void show());
  if (studio.chosen === null) studio.choose(0);
  else void show();
  return () => {
    undo();
    latest.stop();
  };
};
