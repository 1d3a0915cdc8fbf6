// The map: every point of the space, coloured by a column; choose one, draw round many, search by algebra.
import type { Found, Hit } from "../api";
import * as api from "../api";
import { Search } from "../answer";
import { Colouring } from "../colouring";
import { fill, h } from "../dom";
import { Field, type Mark } from "../field";
import { hush } from "../hear";
import { pointPanel, pointTable, trouble } from "../lists";
import type { ViewMaker } from "../studio";

export const map: ViewMaker = async (studio, host, asked) => {
  let found: Found | null = null;
  let near: Hit[] = [];
  const latest = new api.Latest();
  const field = new Field(studio, "Map of the space", async (axes) => {
    studio.axes = axes;
    await field.show();
    mark();
  });
  const colouring = new Colouring(studio, field);
  const chosen = h("section", { class: "chosen", "aria-label": "The point chosen" });
  const selected = h("section", { "aria-label": "The points selected" });
  const search = new Search(studio, (answer) => {
    found = answer;
    mark();
  });

  const mark = (): void => {
    const marks: Mark[] = (found?.hits ?? near).map((hit, k) => ({ i: hit.i, kind: "near" as const, ...(k < 3 ? { text: String(k + 1) } : {}) }));
    if (found?.place && studio.axes === 2) marks.push({ place: found.place, kind: "target", text: "query" });
    if (studio.chosen !== null) marks.push({ i: studio.chosen, kind: "chosen" });
    field.mark(marks);
  };
  const showChosen = async (): Promise<void> => {
    hush();
    const i = studio.chosen;
    near = [];
    mark();
    if (i === null) {
      fill(chosen, h("p", { class: "muted" }, "Choose a point on the map, or with Enter when the map has the focus."));
      return;
    }
    try {
      const answer = await latest.run((signal) => Promise.all([pointPanel(studio, i), api.post<Hit[]>("neighbours", { i, k: 8 }, signal)]));
      if (!answer) return;
      near = answer[1].filter((hit) => hit.i !== i);
      fill(chosen, answer[0], pointTable(studio, "Nearest to it", near, { most: 8 }));
      mark();
    } catch (error) {
      fill(chosen, trouble(error));
    }
  };
  const showSelected = (): void => {
    const rows = studio.selected;
    if (!rows.length) return fill(selected);
    fill(selected, pointTable(studio, `${rows.length} selected`, rows.map((i) => ({ i })), { most: 8 }),
      h("button", { type: "button", class: "quiet", onclick: () => studio.select([]) }, "Select none"));
  };

  fill(host, h("h1", { class: "unseen" }, "Map"),
    h("div", { class: "split" }, field.element, h("div", { class: "panel" }, search.element, colouring.element, chosen, selected)));
  const undo = [studio.on("chosen", () => void showChosen()), studio.on("selected", showSelected)];
  void showChosen();
  showSelected();
  await field.show();
  await colouring.use(studio.column).catch(() => undefined);
  mark();
  const expression = asked.get("q");
  if (expression) void search.ask(expression);
  return () => {
    for (const each of undo) each();
    latest.stop();
    colouring.close();
    field.close();
  };
};
