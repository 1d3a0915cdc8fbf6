// The map as an instrument: the cloud, what is drawn above it, and the hand on it by mouse, finger or keys.
import type { Cloud } from "./cloud";
import { fill, h, say, settled } from "./dom";
import { icon, type Sign } from "./icons";
import type { Studio } from "./studio";
import { ink, onTheme } from "./theme";

/** A ring round a point or a place; or, with `path`, a line through places. */
export interface Mark { i?: number; place?: ArrayLike<number>; path?: ArrayLike<number>[]; kind: "chosen" | "near" | "target" | "truth"; text?: string }

const KEYS = "Arrow keys move the view, plus and minus zoom, 0 shows all, Enter chooses the point nearest to the middle, N and P step through the points.";

export class Field {
  readonly element: HTMLElement;
  cloud: Cloud | null = null;
  private readonly canvas = h("canvas", { class: "points", tabindex: 0, role: "application", "aria-label": "Map" });
  private readonly above = h("canvas", { class: "above", "aria-hidden": "true" });
  private readonly tip = h("p", { class: "tip", hidden: true });
  private readonly state = h("p", { class: "state over" }, "Fetching the points …");
  private readonly frame: HTMLElement;
  private readonly lassoButton: HTMLButtonElement;
  private readonly axesButton: HTMLButtonElement;
  private marks: Mark[] = [];
  private lasso: [number, number][] | null = null;
  private lassoing = false;
  private hovered: number | null = null;
  private readonly fingers = new Map<number, [number, number]>();
  private readonly watch: ResizeObserver;
  private readonly undo: (() => void)[] = [];

  constructor(private readonly studio: Studio, label: string, private readonly onAxes: (axes: 2 | 3) => Promise<void>) {
    this.lassoButton = this.tool("lasso", "Lasso: draw round points to select them", () => this.setLasso(!this.lassoing));
    this.lassoButton.setAttribute("aria-pressed", "false");
    this.axesButton = h("button", { type: "button", class: "tool words", onclick: () => void this.onAxes(this.studio.axes === 2 ? 3 : 2) });
    this.frame = h("div", { class: "frame" }, this.canvas, this.above, this.tip, this.state);
    this.element = h(
      "div", { class: "field", role: "group", "aria-label": label }, this.frame,
      h("div", { class: "tools", role: "toolbar", "aria-label": "The map's tools" }, this.axesButton, this.lassoButton,
        this.tool("plus", "Nearer", () => this.cloud?.zoom(1.4)), this.tool("minus", "Farther", () => this.cloud?.zoom(1 / 1.4)),
        this.tool("home", "Show all", () => this.cloud?.home())),
    );
    this.watch = new ResizeObserver(() => this.fit());
    this.hands();
    this.undo.push(onTheme(() => this.cloud?.draw()));
  }

  /** Draw these points; the drawing code comes with the first. */
  async show(): Promise<void> {
    const { studio } = this;
    try {
      const [{ Cloud }, places] = await Promise.all([import("./cloud"), studio.points(studio.axes)]);
      if (!this.cloud) {
        this.cloud = new Cloud(this.canvas);
        this.cloud.drawn = () => this.paintAbove();
        this.watch.observe(this.frame);
        this.fit();
      }
      this.cloud.put(places, studio.axes);
      this.state.hidden = true;
      this.axesButton.textContent = `${studio.axes}-D`;
      this.axesButton.setAttribute("aria-label", `${studio.axes}-D: show in ${studio.axes === 2 ? 3 : 2} dimensions`);
      this.canvas.setAttribute("aria-label", `Map of ${studio.info.count} points in ${studio.axes} dimensions. ${KEYS} The tables beside it say the same in words.`);
      requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("oplas-points"))); // on the screen: for benchmarks/studio.py
    } catch (error) {
      const webgl = !this.cloud && error instanceof Error && /webgl/i.test(error.message);
      fill(this.state, webgl ? "This browser draws no WebGL. Search and the tables work without the map." : (error as Error).message);
      this.state.hidden = false;
    }
  }

  mark(marks: Mark[]): void {
    this.marks = marks;
    this.cloud?.draw();
  }

  close(): void {
    this.watch.disconnect();
    for (const each of this.undo) each();
    this.cloud?.close();
  }

  private tool(sign: Sign, label: string, work: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick: work }, icon(sign));
  }

  private setLasso(on: boolean): void {
    this.lassoing = on;
    this.lassoButton.setAttribute("aria-pressed", String(on));
    this.canvas.classList.toggle("drawing", on);
  }

  private fit(): void {
    const box = this.frame.getBoundingClientRect();
    const dense = Math.min(devicePixelRatio, 2);
    this.above.width = Math.round(box.width * dense);
    this.above.height = Math.round(box.height * dense);
    this.cloud?.resize(box.width, box.height);
  }

  private hands(): void {
    const { canvas } = this;
    const here = (event: PointerEvent | WheelEvent): [number, number] => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let travelled = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, here(event));
      travelled = 0;
      if ((this.lassoing || event.shiftKey) && this.fingers.size === 1) this.lasso = [here(event)];
    });
    canvas.addEventListener("pointermove", (event) => {
      const at = here(event);
      const before = this.fingers.get(event.pointerId);
      if (!before) return this.hover(at);
      const [dx, dy] = [at[0] - before[0], at[1] - before[1]];
      travelled += Math.abs(dx) + Math.abs(dy);
      const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
      this.fingers.set(event.pointerId, at);
      if (this.lasso) {
        this.lasso.push(at);
        this.cloud?.draw();
      } else if (other) {
        const spread = (p: [number, number]): number => Math.hypot(p[0] - other[0], p[1] - other[1]);
        this.cloud?.zoom(spread(at) / Math.max(spread(before), 1), other[0], other[1]);
      } else this.cloud?.pan(dx, dy);
    });
    const up = (event: PointerEvent): void => {
      if (!this.fingers.delete(event.pointerId) || !this.cloud) return;
      const lasso = this.lasso;
      this.lasso = null;
      if (lasso && lasso.length > 4) {
        const rows = this.cloud.inside(lasso);
        this.studio.select(rows);
        say(`${rows.length} points selected`);
        this.setLasso(false);
      } else if (travelled < 5 && event.type === "pointerup") this.studio.choose(this.cloud.nearest(...here(event), event.pointerType === "touch" ? 26 : 14));
      this.cloud.draw();
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.cloud?.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...here(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    const { cloud, studio } = this;
    if (!cloud || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = this.frame.getBoundingClientRect();
    const step = (by: number): void => studio.choose(((studio.chosen ?? (by > 0 ? -1 : 0)) + by + cloud.count) % cloud.count);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => cloud.pan(40, 0), ArrowRight: () => cloud.pan(-40, 0), ArrowUp: () => cloud.pan(0, 40), ArrowDown: () => cloud.pan(0, -40),
      "+": () => cloud.zoom(1.25), "=": () => cloud.zoom(1.25), "-": () => cloud.zoom(0.8), "0": () => cloud.home(),
      n: () => step(1), p: () => step(-1), Enter: () => studio.choose(cloud.nearest(box.width / 2, box.height / 2, 1e6)),
      Escape: () => studio.selected.length ? studio.select([]) : studio.choose(null),
    };
    const work = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!work) return;
    event.preventDefault();
    work();
  }

  private hover(at: [number, number] | null): void {
    const found = at && this.cloud ? this.cloud.nearest(...at) : null;
    if (found === this.hovered) return;
    this.hovered = found;
    this.tip.hidden = true;
    if (found !== null) this.naming();
    this.cloud?.draw();
  }

  private readonly naming = settled(() => void this.name(), 60);

  private async name(): Promise<void> {
    const i = this.hovered;
    if (i === null) return;
    const point = await this.studio.point(i).catch(() => null);
    const at = this.cloud?.pixelOf(i);
    if (!point || !at || this.hovered !== i) return;
    this.tip.textContent = point.name;
    this.tip.hidden = false;
    const box = this.frame.getBoundingClientRect();
    this.tip.style.left = `${Math.min(Math.max(at[0], 8), box.width - Math.min(this.tip.offsetWidth, box.width) - 8)}px`;
    this.tip.style.top = `${at[1] + 14 + this.tip.offsetHeight > box.height ? at[1] - 14 - this.tip.offsetHeight : at[1] + 14}px`;
  }

  private paintAbove(): void {
    const pen = this.above.getContext("2d");
    const { cloud } = this;
    if (!pen || !cloud) return;
    const dense = Math.min(devicePixelRatio, 2);
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, this.above.width, this.above.height);
    pen.font = "600 12px system-ui, sans-serif";
    const paper = ink("paper");
    const ring = (at: [number, number], radius: number, colour: string, width: number): void => {
      for (const [style, extra] of [[paper, 2.5], [colour, 0]] as const) {
        pen.beginPath();
        pen.arc(at[0], at[1], radius, 0, 7);
        pen.strokeStyle = style;
        pen.lineWidth = width + extra;
        pen.stroke();
      }
    };
    const write = (at: [number, number], text: string, colour: string, drop = -9): void => {
      pen.lineWidth = 4;
      pen.strokeStyle = paper;
      pen.lineJoin = "round";
      pen.strokeText(text, at[0] + 11, at[1] + drop);
      pen.fillStyle = colour;
      pen.fillText(text, at[0] + 11, at[1] + drop);
    };
    for (const mark of this.marks) {
      if (mark.path) {
        pen.beginPath();
        for (const at of mark.path.map((place) => cloud.pixel(place))) if (at) pen.lineTo(...at);
        pen.strokeStyle = ink("warm");
        pen.lineWidth = 2;
        pen.stroke();
        continue;
      }
      const at = mark.place ? cloud.pixel(mark.place) : mark.i !== undefined ? cloud.pixelOf(mark.i) : null;
      if (!at) continue;
      const colour = ink(mark.kind === "chosen" ? "ink" : mark.kind === "near" ? "accent" : mark.kind === "truth" ? "third" : "warm");
      ring(at, mark.kind === "near" ? 6 : 8, colour, mark.kind === "near" ? 1.5 : 2.5);
      if (mark.kind === "target" || mark.kind === "truth") {
        pen.fillStyle = colour;
        pen.beginPath();
        pen.arc(at[0], at[1], 3, 0, 7);
        pen.fill();
      }
      if (mark.text) write(at, mark.text, colour, mark.kind === "truth" ? 17 : -9);
    }
    if (this.hovered !== null) {
      const at = cloud.pixelOf(this.hovered);
      if (at) ring(at, 6, ink("ink"), 1.5);
    }
    if (this.lasso) {
      pen.beginPath();
      for (const [x, y] of this.lasso) pen.lineTo(x, y);
      pen.closePath();
      pen.strokeStyle = ink("accent");
      pen.fillStyle = `${ink("accent")}22`;
      pen.lineWidth = 1.5;
      pen.fill();
      pen.stroke();
    }
  }
}
