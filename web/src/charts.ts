// Small drawings with their words: bars with figures, and a dose's response.
import { figure, h, named, s } from "./dom";

export interface Bar { name: string; value: number; own?: boolean }

/** Bars from zero; the figures stand beside them, so that the drawing is read without seeing it. */
export function bars(caption: string, rows: Bar[], tell: (value: number) => string = figure): HTMLElement {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-12);
  return h("table", { class: "bars" }, h("caption", {}, caption), h("tbody", {}, rows.map((row) =>
    h("tr", { class: row.own ? "own" : "" }, h("th", { scope: "row" }, named(row.name)), h("td", { class: "number" }, tell(row.value)),
      h("td", { class: "bar", "aria-hidden": "true" }, h("i", { style: { width: `${(100 * Math.abs(row.value)) / most}%` } }))))));
}

/** A curve through (amount, effect), with a mark at the present amount that `at` moves. */
export function curve(points: [number, number][], label: string, unit: string): { element: Element; at: (amount: number) => void } {
  const [width, height, left, foot] = [320, 150, 40, 26];
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const [y0, y1] = [Math.min(...ys, 0), Math.max(...ys, 0)];
  const x = (v: number): number => left + ((v - x0) / (x1 - x0 || 1)) * (width - left - 8);
  const y = (v: number): number => height - foot - ((v - y0) / (y1 - y0 || 1)) * (height - foot - 10);
  const mark = s("circle", { r: 5, class: "here" });
  const line = s("line", { class: "guide" });
  const text = (at: [number, number], what: string, anchor = "middle"): SVGTextElement => s("text", { x: at[0], y: at[1], "text-anchor": anchor }, what);
  const element = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "curve", role: "img", "aria-label": `${label}: effect from ${figure(ys[0])} at ${figure(x0)} ${unit} to ${figure(ys.at(-1))} at ${figure(x1)} ${unit}` },
    s("path", { class: "axis", d: `M${left} 6V${height - foot}H${width - 8}` }),
    s("path", { class: "zero", d: `M${left} ${y(0)}H${width - 8}` }), line,
    s("path", { class: "line", d: points.map((p, k) => `${k ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("") }),
    mark, text([x(x0), height - 8], figure(x0), "start"), text([x(x1), height - 8], `${figure(x1)} ${unit}`.trim(), "end"),
    text([left - 5, y(y1) + 4], figure(y1), "end"), y0 < 0 && text([left - 5, y(y0) + 4], figure(y0), "end"));
  const at = (amount: number): void => {
    const k = Math.max(1, points.findIndex((p) => p[0] >= amount));
    const [a, b] = [points[k - 1] ?? points[0], points[k] ?? points.at(-1)] as [[number, number], [number, number]];
    const value = a[1] + ((b[1] - a[1]) * (amount - a[0])) / (b[0] - a[0] || 1);
    for (const [name, v] of [["cx", x(amount)], ["cy", y(value)]] as const) mark.setAttribute(name, String(v));
    for (const [name, v] of [["x1", x(amount)], ["x2", x(amount)], ["y1", 6], ["y2", height - foot]] as const) line.setAttribute(name, String(v));
  };
  return { element, at };
}
