// The ring: songs on the circle of fifths; take one and turn it, by hand or by keys.
import * as api from "../api";
import { figure, fill, h, s, settled } from "../dom";
import { hush } from "../hear";
import { note, trouble } from "../lists";
import { rollPair } from "../roll";
import { Slider } from "../slider";
import type { ViewMaker } from "../studio";

const [CENTRE, RADIUS] = [200, 130];
const FIFTH = Math.PI / 6;

export const ring: ViewMaker = async (studio, host) => {
  const page = h("div", { class: "page" }, h("h1", {}, "Ring"));
  fill(host, page);
  const known = studio.info.has.ring ? await api.get<api.Ring>("ring") : null;
  if (!known?.available) {
    page.append(note("off", "No ring.", known?.why || "This space has no certified ring of fifths; oplas discover looks for one, oplas certify --ring measures it."));
    return () => undefined;
  }
  let song = known.songs.find((each) => each.i !== null && each.i === studio.chosen) ?? known.songs[0];
  let fifths = 0;
  let turned: api.Turned | null = null;
  const latest = new api.Latest();
  const result = h("section", { class: "result", "aria-label": "The song, turned" });
  const needle = s("g", { class: "needle" });
  const nearby = s("g", {});
  const circle = s("svg", { viewBox: "0 0 400 400", class: "ring", tabindex: 0, role: "slider", "aria-label": "Turn the song, in fifths", "aria-valuemin": -6, "aria-valuemax": 6 });
  const slider = new Slider({ name: "turn", unit: "fifths", min: -6, max: 6, step: 1, value: 0 }, (value) => turn(value));
  const choice = h("select", { id: "song", onchange: () => take(Number(choice.value)) }, known.songs.map((each, k) => h("option", { value: k }, `${each.name} (${each.label})`)));

  const most = Math.max(...known.songs.map((each) => each.confidence), 1e-9);
  const out = (confidence: number): number => RADIUS * (0.3 + 0.7 * Math.min(confidence / most, 1));
  const at = (angle: number, radius: number): [number, number] => [CENTRE + radius * Math.sin(angle), CENTRE - radius * Math.cos(angle)];

  const draw = (): void => {
    if (!song) return;
    const angle = song.angle + fifths * FIFTH;
    const [x, y] = at(angle, out(song.confidence));
    const home = at(song.angle, out(song.confidence));
    fill(needle, s("line", { x1: CENTRE, y1: CENTRE, x2: home[0], y2: home[1], class: "home" }), s("circle", { cx: home[0], cy: home[1], r: 6, class: "home" }),
      s("line", { x1: CENTRE, y1: CENTRE, x2: x, y2: y, class: "now" }), s("circle", { cx: x, cy: y, r: 10, class: "now" }));
    fill(nearby, (turned?.nearest ?? []).map((each) => {
      const [a, b] = at(each.angle, out(each.confidence));
      return s("circle", { cx: a, cy: b, r: 8, class: "near" });
    }));
    const place = Math.round(((angle / FIFTH) % 12 + 12)) % 12;
    circle.setAttribute("aria-valuenow", String(fifths));
    circle.setAttribute("aria-valuetext", `${fifths} fifths: ${known.labels[place] ?? ""}`);
    for (const [k, label] of [...circle.querySelectorAll("text.place")].entries()) label.classList.toggle("here", k === place);
  };

  const turn = (to: number): void => {
    fifths = Math.max(-6, Math.min(6, to));
    slider.value = fifths;
    turned = null;
    draw();
    ask();
  };
  const take = (k: number): void => {
    song = known.songs[k];
    choice.value = String(k);
    turn(0);
  };

  const ask = settled(() => void answer(), 160);
  const answer = async (): Promise<void> => {
    if (!song) return;
    const body = { i: song.song, fifths, k: 5 };
    try {
      const got = await latest.run((signal) => api.post<api.Turned>("ring/turn", body, signal));
      if (!got) return;
      turned = got;
      hush();
      draw();
      const rolls = h("div", { class: "hearings" });
      fill(result, h("p", {}, h("strong", {}, song.name), ` stands on ${song.label}; turned by ${fifths} fifth${Math.abs(fifths) === 1 ? "" : "s"} it comes to `, h("b", {}, got.label), ` (${got.semitones > 0 ? "+" : ""}${got.semitones} semitones). `,
        h("span", { class: "muted" }, `The song truly transposed lies ${figure(got.distance)} from there.`)), rolls, nearest(got));
      const [before, after] = await Promise.all([api.fetched<api.Roll>(got.roll_before), api.fetched<api.Roll>(got.roll)]);
      rollPair(rolls, before, after, ["as it is", `turned, in ${got.label}`]);
    } catch (error) {
      fill(result, trouble(error));
    }
  };

  const nearest = (got: api.Turned): HTMLElement =>
    h("div", { class: "listed" }, h("table", {}, h("caption", {}, "Songs that lie there"), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "song"), h("th", { scope: "col" }, "key"), h("th", { scope: "col", class: "number" }, "confidence"))),
      h("tbody", {}, got.nearest.map((each) => h("tr", {}, h("td", {}, h("button", { type: "button", class: "link", onclick: () => take(known.songs.findIndex((one) => one.song === each.song)) }, each.name)), h("td", {}, each.label), h("td", { class: "number" }, figure(each.confidence)))))));

  fill(circle, s("circle", { cx: CENTRE, cy: CENTRE, r: RADIUS, class: "rim" }),
    known.labels.map((label, k) => {
      const [x, y] = at(k * FIFTH, RADIUS + 16);
      const side = Math.sin(k * FIFTH);
      const [a, b] = at(k * FIFTH, RADIUS + 6);
      const [c, d] = at(k * FIFTH, RADIUS - 6);
      return [s("line", { x1: a, y1: b, x2: c, y2: d, class: "tick" }), s("text", { x, y: y + 6 - 5 * Math.cos(k * FIFTH), "text-anchor": side > 0.1 ? "start" : side < -0.1 ? "end" : "middle", class: "place" }, label)];
    }),
    known.songs.slice(0, 600).map((each) => {
      const [x, y] = at(each.angle, out(each.confidence));
      return s("circle", { cx: x, cy: y, r: 3, class: "song" });
    }), nearby, needle);
  hands(circle, (by) => turn(fifths + by), () => song ? song.angle + fifths * FIFTH : 0);
  page.append(h("p", { class: "lead" }, "Neighbours on this circle are a fifth apart; transposing a song turns it. Drag the song round, or use the arrow keys."),
    h("div", { class: "desk wide" }, h("section", { "aria-label": "Circle of fifths" }, h("p", { class: "line" }, h("label", { for: "song" }, "Song"), choice), circle, slider.element, h("p", { class: "muted small" }, known.why)), result));
  draw();
  ask();
  return () => latest.stop();
};

/** Drag in steps of a fifth, arrow keys one step each. */
function hands(circle: SVGSVGElement, step: (by: number) => void, now: () => number): void {
  const angle = (event: PointerEvent): number => {
    const box = circle.getBoundingClientRect();
    return Math.atan2(event.clientX - box.left - box.width / 2, box.top + box.height / 2 - event.clientY);
  };
  let dragging = false;
  circle.addEventListener("pointerdown", (event) => {
    dragging = true;
    circle.setPointerCapture(event.pointerId);
  });
  circle.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    const off = Math.atan2(Math.sin(angle(event) - now()), Math.cos(angle(event) - now()));
    if (Math.abs(off) > FIFTH / 2) step(Math.round(off / FIFTH));
  });
  for (const kind of ["pointerup", "pointercancel"]) circle.addEventListener(kind, () => (dragging = false));
  circle.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  });
}
