// Points in words: what the canvas shows, for those who do not see it, and the panel of the point chosen.
import * as api from "./api";
import { figure, fill, h, named } from "./dom";
import { soundButton } from "./hear";
import { rollView } from "./roll";
import type { Studio } from "./studio";

interface Row { i: number; name?: string; distance?: number }

/** A table of points, each to be chosen or played; more on request. */
export function pointTable(studio: Studio, caption: string, rows: Row[], options: { column?: string; most?: number; empty?: string } = {}): HTMLElement {
  const { column = "distance", most = 10, empty = "None." } = options;
  const body = h("tbody");
  const apart = rows.some((row) => row.distance !== undefined);
  const table = h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "point"), apart && h("th", { scope: "col", class: "number" }, column), h("th", { scope: "col" }, h("span", { class: "unseen" }, "play")))), body);
  const more = h("button", { type: "button", class: "quiet", onclick: () => void show(most) });
  let shown = 0;
  const show = async (by: number): Promise<void> => {
    const next = rows.slice(shown, shown + by);
    shown += next.length;
    more.hidden = shown >= rows.length;
    more.textContent = `Show ${Math.min(most, rows.length - shown)} more of ${rows.length - shown}`;
    body.append(...next.map((row) => line(studio, row, apart)));
  };
  void show(most);
  return rows.length ? h("div", { class: "listed" }, table, more) : h("div", { class: "listed" }, h("p", { class: "caption" }, caption), h("p", { class: "muted" }, empty));
}

function line(studio: Studio, row: Row, apart: boolean): HTMLElement {
  const name = h("button", { type: "button", class: "link", onclick: () => studio.choose(row.i) }, row.name ?? `point ${row.i}`);
  const hearing = h("td", { class: "hear" });
  const { audio } = studio.info.has;
  if (audio) fill(hearing, soundButton(sound(row.i), row.name ?? `point ${row.i}`));
  if (!row.name) {
    studio.point(row.i).then((point) => {
      name.textContent = point.name;
      if (audio) fill(hearing, soundButton(sound(row.i), point.name));
    }).catch(() => undefined);
  }
  return h("tr", {}, h("td", {}, name), apart && h("td", { class: "number" }, figure(row.distance)), hearing);
}

export function sound(i: number): string {
  return `api/point/${i}/audio`;
}

/** The point chosen: its name, what its columns say, its sound or roll unless that is heard elsewhere. */
export async function pointPanel(studio: Studio, i: number, heard = true): Promise<HTMLElement> {
  const point = await studio.point(i);
  const hearing = h("div", { class: "hearings" });
  if (!heard) hearing.hidden = true;
  else if (point.roll) {
    const roll = await api.get<api.Roll>(`point/${i}/roll`).catch(() => null);
    if (roll) hearing.append(rollView(roll, point.name, undefined, point.audio ? sound(i) : null));
  }
  if (heard && point.audio && !hearing.childElementCount) hearing.append(soundButton(sound(i), point.name), h("span", { class: "muted" }, "listen"));
  const unit = studio.info.kind === "midi" ? "beat" : "s";
  const facts: [string, string][] = Object.entries(point.values).map(([key, value]) => [named(key), typeof value === "number" ? figure(value) : value ?? "unknown"]);
  if (point.start !== null && !("start" in point.values)) facts.unshift(["starts at", unit === "s" ? `${figure(point.start)} s` : `beat ${figure(point.start)}`]);
  return h("div", { class: "point" }, h("h2", {}, point.name), hearing, h("dl", {}, facts.map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])));
}

/** A failure in its place. */
export function trouble(error: unknown): HTMLElement {
  return h("p", { class: "note bad", role: "alert" }, error instanceof Error ? error.message : String(error));
}

/** A note that something is refused, off or empty, and why. */
export function note(kind: "bad" | "off" | "good" | "plain", title: string, text: string): HTMLElement {
  return h("p", { class: `note ${kind}` }, title && h("strong", {}, `${title} `), text);
}

export function verdictMark(verdict: string | null): HTMLElement {
  const word = verdict ?? "not certified";
  return h("span", { class: `verdict ${word.replaceAll(" ", "-")}` }, word);
}
