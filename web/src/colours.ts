// Colours of points. Eight hues that colour-blind readers tell apart (after Okabe & Ito 2008) and an even ramp from blue to
// yellow; the legend names what they say, and the table repeats it in words.

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b5588f", "#8a6d00", "#3a94c9", "#6b4fa0", "#5b6570"];
const DARK = ["#56b4e9", "#f0a35e", "#3fc9a0", "#e09ac4", "#e5d352", "#8ed0f5", "#b39ddb", "#a3adb8"];
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
