// Colours of points. The first seven hues are told apart by colour-blind readers (after Okabe & Ito 2008), four more are there for
// who has many categories, grey is for the rest; an even ramp goes from blue to yellow. The legend names what they say, and the
// tables repeat it in words.

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b5588f", "#8a6d00", "#3a94c9", "#6b4fa0", "#7a4a2a", "#4d7a1f", "#c22f4f", "#157a7a", "#767f89"];
const DARK = ["#56b4e9", "#f0a35e", "#3fc9a0", "#e09ac4", "#e5d352", "#8ed0f5", "#b39ddb", "#c79a78", "#a9cf6d", "#ff8fa3", "#6fd3d3", "#8b95a1"];
const RAMP_LIGHT = ["#1d3a7a", "#2a6a9e", "#2f8f86", "#6c9c4a", "#b08c1e"];
const RAMP_DARK = ["#4463c4", "#3d93c2", "#4bb59d", "#a3c866", "#f5dc5a"];

export type Rgb = [number, number, number];

export function rgb(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function hues(dark: boolean): string[] {
  return dark ? DARK : LIGHT;
}

/** Category k's colour; past the last hue all are the last. */
export function hue(k: number, dark: boolean): string {
  const all = hues(dark);
  return all[Math.min(k, all.length - 1)] as string;
}

/** A place on the ramp, 0 to 1. */
export function ramp(share: number, dark: boolean): Rgb {
  const stops = dark ? RAMP_DARK : RAMP_LIGHT;
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const k = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [rgb(stops[k] as string), rgb(stops[k + 1] as string)];
  return a.map((each, i) => Math.round(each + ((b[i] as number) - each) * (at - k))) as Rgb;
}

export function rampCss(dark: boolean): string {
  return `linear-gradient(90deg, ${(dark ? RAMP_DARK : RAMP_LIGHT).join(", ")})`;
}
