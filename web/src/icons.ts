// Few signs, drawn in the text's own colour; always beside or instead of a label that is read aloud.
import { s } from "./dom";

const PATHS = {
  play: "M7 4.5v15l12-7.5z",
  stop: "M6 6h12v12H6z",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  home: "M4 11l8-7 8 7M6.5 10v9h11v-9",
  sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14.5A8.5 8.5 0 019.5 4 8.5 8.5 0 1020 14.5z",
  lasso: "M5 17c-3-3-2.5-10 4-12s12 2 11 7-8 7-12 4M8 16a2 2 0 11-3.500 1.500M6 19c0 1 0 2-2 3",
  search: "M10.500 4a6.500 6.500 0 100 13 6.500 6.500 0 000-13zM15.500 15.500L21 21",
} as const;

export type Sign = keyof typeof PATHS;

export function icon(name: Sign): SVGSVGElement {
  const solid = name === "play" || name === "stop";
  return s(
    "svg",
    { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true", class: "icon" },
    s("path", { d: PATHS[name], fill: solid ? "currentColor" : "none", stroke: solid ? "none" : "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" }),
  );
}
