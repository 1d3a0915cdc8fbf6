// A piano roll one can see and hear, and a sentence that says what is in it.
import type { Roll } from "./api";
import { hue } from "./colours";
import { fill, h } from "./dom";
import { rollButton, soundButton } from "./hear";
import { dark, ink, onTheme } from "./theme";

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export function pitchName(pitch: number): string {
  return `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** What a listener would want to know without looking. */
export function told(roll: Roll): string {
  if (!roll.notes.length) return "an empty piano roll";
  const pitches = roll.notes.map((note) => note[2]);
  const mean = pitches.reduce((sum, each) => sum + each, 0) / pitches.length;
  return `${roll.notes.length} notes in ${Math.round(roll.beats * 10) / 10} beats, ${pitchName(Math.min(...pitches))} to ${pitchName(Math.max(...pitches))}, on average ${pitchName(Math.round(mean))}`;
}

/** The roll on a canvas with its play button: of its sound, where there is one; `range` keeps the pitches of two rolls on one scale. */
export function rollView(roll: Roll, label: string, range?: [number, number], sound?: string | null): HTMLElement {
  const canvas = h("canvas", { class: "roll", role: "img", "aria-label": `Piano roll of ${label}: ${told(roll)}` });
  let beat: number | null = null;
  const draw = (): void => paint(canvas, roll, beat, range ?? pitchRange([roll]));
  const follow = (now: number | null): void => {
    beat = now;
    draw();
  };
  const play = sound ? soundButton(sound, label, (second) => follow(second === null ? null : (second * roll.tempo) / 60)) : rollButton(roll, label, follow);
  const parts = roll.parts.length > 1 && h("p", { class: "legend" }, roll.parts.map((part, k) => h("span", { class: "key" }, h("i", { class: "dot", style: { background: hue(k, dark()) } }), part)));
  const element = h("div", { class: "hearing" }, play, h("div", { class: "sheet" }, canvas, parts));
  const watch = new ResizeObserver(draw);
  watch.observe(canvas);
  const undo = onTheme(() => {
    if (canvas.isConnected) draw();
    else undo();
  });
  return element;
}

/** The pitches of rolls that stand beside one another. */
export function pitchRange(rolls: Roll[]): [number, number] {
  const pitches = rolls.flatMap((roll) => roll.notes.map((note) => note[2]));
  if (!pitches.length) return [48, 72];
  const [low, high] = [Math.min(...pitches) - 2, Math.max(...pitches) + 2];
  const more = Math.max(0, 24 - (high - low)) / 2;
  return [low - more, high + more];
}

function paint(canvas: HTMLCanvasElement, roll: Roll, beat: number | null, [low, high]: [number, number]): void {
  const pen = canvas.getContext("2d");
  const dense = Math.min(devicePixelRatio, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!pen || !width) return;
  if (canvas.width !== Math.round(width * dense)) [canvas.width, canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  const row = height / (high - low);
  const x = (at: number): number => (at / Math.max(roll.beats, 1e-9)) * width;
  const y = (pitch: number): number => height - (pitch - low + 0.5) * row;
  pen.strokeStyle = ink("line");
  pen.lineWidth = 1;
  for (let pitch = Math.ceil(low / 12) * 12; pitch <= high; pitch += 12) stroke(pen, 0, Math.round(y(pitch) + row / 2) + 0.5, width, Math.round(y(pitch) + row / 2) + 0.5);
  const bar = roll.beats > 64 ? 16 : roll.beats > 16 ? 4 : 1;
  for (let at = 0; at < roll.beats; at += bar) stroke(pen, Math.round(x(at)) + 0.5, 0, Math.round(x(at)) + 0.5, height);
  const night = dark();
  for (const [onset, length, pitch, velocity, part] of roll.notes) {
    pen.globalAlpha = 0.45 + 0.55 * velocity;
    pen.fillStyle = hue(part, night);
    pen.fillRect(x(onset), y(pitch) - row * 0.45, Math.max(x(length) - 1, 2), Math.max(row * 0.9, 2));
  }
  pen.globalAlpha = 1;
  if (beat !== null) {
    pen.strokeStyle = ink("ink");
    pen.lineWidth = 1.5;
    stroke(pen, x(beat), 0, x(beat), height);
  }
}

function stroke(pen: CanvasRenderingContext2D, a: number, b: number, c: number, d: number): void {
  pen.beginPath();
  pen.moveTo(a, b);
  pen.lineTo(c, d);
  pen.stroke();
}

/** Two rolls on one scale, before and after. */
export function rollPair(host: Element, before: Roll, after: Roll | null, labels: [string, string]): void {
  const range = pitchRange(after ? [before, after] : [before]);
  fill(host, h("h2", { class: "caption" }, labels[0]), rollView(before, labels[0], range), after && [h("h2", { class: "caption" }, labels[1]), rollView(after, labels[1], range)]);
}
