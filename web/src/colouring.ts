// From a column to colours and a legend; a category in the legend is a button that shows it alone.
import type { ColumnData } from "./api";
import { hue, hues, ramp, rampCss, rgb, type Rgb } from "./colours";
import type { Field } from "./field";
import { figure, fill, h, named } from "./dom";
import type { Studio } from "./studio";
import { dark, onTheme } from "./theme";

export class Colouring {
  readonly element = h("section", { class: "colouring" });
  private readonly legend = h("div", { class: "legend" });
  private data: ColumnData | null = null;
  private readonly shown = new Set<number>();
  private readonly undo: (() => void)[];

  constructor(private readonly studio: Studio, private readonly field: Field) {
    const choice = h("select", { id: "colour", onchange: () => void this.use(choice.value) },
      studio.info.columns.map((c) => h("option", { value: c.name, selected: c.name === studio.column }, named(c.name))));
    if (studio.info.columns.length) fill(this.element, h("p", { class: "line" }, h("label", { for: "colour" }, "Colour by"), choice), this.legend);
    this.undo = [onTheme(() => this.paint()), studio.on("selected", () => this.paint())];
  }

  async use(column: string): Promise<void> {
    this.shown.clear();
    this.studio.column = column;
    const data = column ? await this.studio.data(column) : null;
    if (this.studio.column !== column) return;
    this.data = data;
    this.paint();
  }

  close(): void {
    for (const each of this.undo) each();
  }

  /** The commonest categories have a hue each; the rest share the last. */
  private order(): number[] {
    const counts = new Map<number, number>();
    for (const code of this.data?.codes ?? []) counts.set(code, (counts.get(code) ?? 0) + 1);
    return [...counts.keys()].filter((code) => code >= 0).sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a - b);
  }

  private paint(): void {
    const { count, selected } = { count: this.studio.info.count, selected: this.studio.selected };
    const night = dark();
    const colours = new Uint8Array(4 * count);
    const tint = this.tints(night);
    const chosen = selected.length ? new Set(selected) : null;
    const full = count > 50000 ? 190 : 225;
    for (let i = 0; i < count; i++) {
      const [r, g, b] = tint(i);
      const code = this.data?.codes?.[i] ?? 0;
      const hidden = this.shown.size > 0 && !this.shown.has(code);
      colours.set([r, g, b, hidden ? 0 : chosen && !chosen.has(i) ? 38 : full], 4 * i);
    }
    this.field.cloud?.paint(colours);
    this.tell(night);
  }

  private tints(night: boolean): (i: number) => Rgb {
    const grey = rgb(night ? "#7d8794" : "#8b949e");
    const { data } = this;
    if (data?.codes) {
      const rank = new Map(this.order().map((code, k) => [code, rgb(hue(k, night))]));
      const codes = data.codes;
      return (i) => rank.get(codes[i] ?? -1) ?? grey;
    }
    if (data?.values) {
      const [low, high] = extent(data.values);
      const values = data.values;
      return (i) => {
        const value = values[i];
        return value === null || value === undefined ? grey : ramp((value - low) / (high - low || 1), night);
      };
    }
    const plain = rgb(hue(0, night));
    return () => plain;
  }

  private tell(night: boolean): void {
    const { data } = this;
    if (data?.categories) {
      const order = this.order();
      const names = data.categories;
      const button = (code: number, k: number): HTMLElement =>
        h("button", {
          type: "button", class: "chip", "aria-pressed": String(this.shown.has(code)),
          onclick: () => {
            if (!this.shown.delete(code)) this.shown.add(code);
            this.paint();
            (this.legend.children[k] as HTMLElement | undefined)?.focus();
          },
        }, h("i", { class: "dot", style: { background: hue(k, night) } }), named(names[code] ?? "?"));
      const most = hues(night).length + 4;
      const rest = order.length - most;
      fill(this.legend, order.slice(0, most).map(button), rest > 0 && h("span", { class: "muted" }, `and ${rest} more, in the last colour`));
    } else if (data?.values) {
      const [low, high] = extent(data.values);
      fill(this.legend, h("span", { class: "muted" }, figure(low)), h("i", { class: "ramp", style: { background: rampCss(night) } }), h("span", { class: "muted" }, figure(high)));
    } else fill(this.legend);
  }
}

function extent(values: (number | null)[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low <= high ? [low, high] : [0, 1];
}
