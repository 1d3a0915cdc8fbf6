// The operator bench: choose an operator, move its slider, see where points go, what lies there, and what the deed truly does.
import * as api from "../api";
import { Colouring } from "../colouring";
import { figure, fill, h, settled } from "../dom";
import { Field, type Mark } from "../field";
import { hush, soundButton } from "../hear";
import { note, pointPanel, pointTable, sound, trouble } from "../lists";
import { pitchRange, rollView } from "../roll";
import { Slider } from "../slider";
import type { Studio, ViewMaker } from "../studio";
import { Track } from "../track";

const WHEN = ["before", "after, truly done"];

export const bench: ViewMaker = async (studio, host, asked) => {
  const { operators } = studio.info;
  let operator = operators.find((each) => each.name === asked.get("operator")) ?? operators.find((each) => each.certified) ?? null;
  let values: Record<string, number> = {};
  let track: Track | null = null;
  let answer: api.Moved | null = null;
  const [plans, asks] = [new api.Latest(), new api.Latest()];
  const field = new Field(studio, "Map of the space", async (axes) => {
    studio.axes = axes;
    await field.show();
    await plan();
  });
  const colouring = new Colouring(studio, field);
  const controls = h("section", { class: "controls" });
  const result = h("section", { class: "result", "aria-label": "What the operator does" });
  const subject = h("section", { class: "chosen", "aria-label": "The point chosen" });
  const every = h("input", { type: "checkbox", id: "every", onchange: () => place() });

  const running = (): api.Parameter | undefined => operator?.parameters.find((each) => each.kind === "number");
  const along = (): number => values[running()?.name ?? ""] ?? 1;

  /** Move points to where the slider says: no request, one frame. */
  const place = (): void => {
    const { cloud } = field;
    const marks: Mark[] = [];
    const i = studio.chosen;
    if (cloud && track && every.checked) track.move(cloud, along());
    else if (cloud) {
      if (track?.rest()) void studio.points(studio.axes).then((places) => every.checked || cloud.put(places, studio.axes));
      for (const [k, hit] of (answer?.neighbours ?? []).entries()) marks.push({ i: hit.i, kind: "near", ...(k < 3 ? { text: String(k + 1) } : {}) });
    }
    if (i !== null && track) {
      marks.push({ path: track.way(i), kind: "target" });
      if (!every.checked) marks.push({ i, kind: "chosen" });
      if (answer?.truth.place && answer.truth.place.length === studio.axes) marks.push({ place: answer.truth.place, kind: "truth", text: "truly" });
      marks.push({ place: track.place(i, along()), kind: "target", text: "moved" });
    } else if (i !== null) marks.push({ i, kind: "chosen" });
    field.mark(marks);
  };

  const plan = async (): Promise<void> => {
    track = null;
    if (!operator?.certified || !ready()) return place();
    const name = operator.name;
    const path = await plans.run((signal) => api.plan(name, values, studio.axes, signal)).catch((error: unknown) => {
      fill(result, trouble(error));
      return undefined;
    });
    if (path) track = new Track(path, studio.axes);
    place();
  };

  const ask = settled(() => void act(), 140);
  const act = async (): Promise<void> => {
    const i = studio.chosen;
    if (!operator?.certified || i === null || !ready()) return;
    const body = { operator: operator.name, parameters: values, i: [i], k: 8, axes: studio.axes };
    try {
      const moved = await asks.run((signal) => api.post<api.Moved>("operate", body, signal));
      if (!moved) return;
      answer = moved;
      await show(i, moved);
      place();
    } catch (error) {
      fill(result, trouble(error));
    }
  };

  const show = async (i: number, moved: api.Moved): Promise<void> => {
    if (moved.refused) return fill(result, note("off", "Refused.", moved.refused));
    const { truth } = moved;
    const hearing = await hearBoth(studio, i, truth);
    fill(result, h("h2", {}, "Before and after"), hearing, truthTold(truth), pointTable(studio, "Nearest to where it goes", moved.neighbours, { most: 8 }));
  };

  /** Every parameter that is a point has been given one. */
  const ready = (): boolean => operator?.parameters.every((each) => each.name in values) ?? false;

  const choose = (to: api.Operator | null): void => {
    operator = to;
    answer = null;
    values = Object.fromEntries((to?.parameters ?? []).filter((each) => each.kind === "number").map((each) => [each.name, each.default]));
    fill(result);
    fill(controls, to && [parameterControls(to), h("p", { class: "check" }, every, h("label", { for: "every" }, "Move every point, not only the one chosen"))]);
    void plan();
    ask();
  };

  const parameterControls = (of: api.Operator): HTMLElement[] => of.parameters.map((each) => {
    if (each.kind === "number") {
      return new Slider({ ...each, value: each.default, start: 0 }, (value) => {
        values[each.name] = value;
        if (each.name === running()?.name) place();
        else void plan();
        ask();
      }).element;
    }
    const who = h("span", { class: "muted" }, "none yet");
    return h("p", { class: "line" }, h("span", {}, each.name), who, h("button", { type: "button", class: "quiet", onclick: () => {
      const i = studio.chosen;
      if (i === null) return;
      values[each.name] = i;
      void studio.point(i).then((point) => (who.textContent = point.name));
      void plan();
      ask();
    } }, "take the point chosen"));
  });

  const subjectShown = async (): Promise<void> => {
    hush();
    answer = null;
    place();
    const i = studio.chosen;
    if (i === null) return fill(subject, h("p", { class: "muted" }, "Choose a point on the map to see what becomes of it."));
    try {
      fill(subject, await pointPanel(studio, i, !operator?.certified));
    } catch (error) {
      fill(subject, trouble(error));
    }
    ask();
  };

  fill(host, h("h1", { class: "unseen" }, "Operators"), h("div", { class: "split" }, field.element,
    h("div", { class: "panel" }, chooser(operators, operator, choose), controls, subject, result, colouring.element)));
  const undo = [studio.on("chosen", () => void subjectShown())];
  await field.show();
  await colouring.use(studio.column).catch(() => undefined);
  if (studio.chosen === null) studio.choose(0);
  else void subjectShown();
  choose(operator);
  return () => {
    for (const each of undo) each();
    plans.stop();
    asks.stop();
    colouring.close();
    field.close();
  };
};

/** Operators to choose among; those that hold no certificate are off and say why. */
function chooser(operators: api.Operator[], chosen: api.Operator | null, choose: (to: api.Operator) => void): HTMLElement {
  if (!operators.length) return note("off", "No operators.", "This space claims no law, so there is nothing that can be done in it; learn one with oplas learn.");
  return h("fieldset", { class: "choices" }, h("legend", {}, "Operator"), operators.map((each, k) =>
    h("div", { class: `choice${each.certified ? "" : " off"}` },
      h("input", { type: "radio", name: "operator", id: `operator-${k}`, value: each.name, checked: each === chosen, disabled: !each.certified, "aria-describedby": `operator-why-${k}`, onchange: () => choose(each) }),
      h("label", { for: `operator-${k}` }, each.title, each.certified ? null : h("span", { class: "tag" }, "off")),
      h("p", { class: "muted small", id: `operator-why-${k}` }, each.why))));
}

function truthTold(truth: api.Truth): HTMLElement {
  if (!truth.known) return h("p", { class: "muted small" }, truth.why);
  return h("div", { class: "tiles" },
    tile(figure(truth.distance), "from the truth", "the action done to the data and encoded, beside the operator's answer"),
    tile(figure(truth.stayed), "had it stayed", "the same distance, had nothing been done"),
    truth.r2 !== null && tile(figure(truth.r2), "R² here", "1 where the answer is the truth"));
}

function tile(value: string, name: string, why: string): HTMLElement {
  return h("p", { class: "tile" }, h("b", {}, value), h("span", {}, name), h("small", {}, why));
}

async function hearBoth(studio: Studio, i: number, truth: api.Truth): Promise<HTMLElement> {
  const point = await studio.point(i);
  const sounds = [point.audio ? sound(i) : null, truth.audio];
  const sheets = [point.roll ? `api/point/${i}/roll` : null, truth.roll];
  const rolls = await Promise.all(sheets.map((url) => (url ? api.fetched<api.Roll>(url).catch(() => null) : null)));
  const range = pitchRange(rolls.filter((roll) => roll !== null));
  return h("div", { class: "hearings" }, WHEN.map((when, k) => {
    const [roll, url] = [rolls[k], sounds[k]];
    if (roll) return [h("h3", {}, when), rollView(roll, when, range, url ?? null)];
    return url && h("p", { class: "line" }, soundButton(url, when), h("span", { class: "muted" }, when));
  }));
}
