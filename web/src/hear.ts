// One sound at a time: sounds of the server, and piano rolls played by a plain voice of the page's own.
import type { Roll } from "./api";
import { h, say } from "./dom";
import { icon } from "./icons";

let stop: (() => void) | null = null;

/** Stop whatever sounds. */
export function hush(): void {
  const last = stop;
  stop = null;
  last?.();
}

function button(label: string, start: (done: () => void) => () => void): HTMLButtonElement {
  const element = h("button", { type: "button", class: "play", "aria-label": `Play ${label}`, title: `Play ${label}` }, icon("play"));
  const show = (on: boolean): void => {
    element.replaceChildren(icon(on ? "stop" : "play"));
    element.classList.toggle("on", on);
    element.setAttribute("aria-label", `${on ? "Stop" : "Play"} ${label}`);
  };
  let mine: (() => void) | null = null;
  element.addEventListener("click", () => {
    if (mine && stop === mine) return hush();
    hush();
    const end = start(() => {
      if (stop === mine) hush();
    });
    mine = stop = () => {
      end();
      show(false);
    };
    show(true);
  });
  return element;
}

/** Play a sound; `at` is told the second that sounds now, null at the end. */
export function soundButton(url: string, label: string, at?: (second: number | null) => void): HTMLButtonElement {
  return button(label, (done) => {
    const audio = new Audio(url);
    const follow = (): void => {
      at?.(audio.currentTime);
      timer = requestAnimationFrame(follow);
    };
    let timer = at ? requestAnimationFrame(follow) : 0;
    audio.addEventListener("ended", done);
    audio.addEventListener("error", () => {
      say(`${label} cannot be played`);
      done();
    });
    void audio.play().catch(() => undefined); // a failure to load is told by the error event
    return () => {
      cancelAnimationFrame(timer);
      at?.(null);
      audio.pause();
      audio.removeAttribute("src");
      audio.load();
    };
  });
}

let context: AudioContext | null = null;

/** Play a roll; `at` is told the beat that sounds now, null at the end. */
export function rollButton(roll: Roll, label: string, at: (beat: number | null) => void): HTMLButtonElement {
  return button(label, (done) => {
    context ??= new AudioContext();
    void context.resume();
    const out = new GainNode(context, { gain: 0.22 });
    const soft = new DynamicsCompressorNode(context);
    out.connect(soft).connect(context.destination);
    const begin = context.currentTime + 0.06;
    const second = 60 / (roll.tempo || 120);
    const now = context;
    const coming = [...roll.notes].sort((a, b) => b[0] - a[0]);
    const strike = (): void => { // only those that are due: a whole song at once would be thousands of voices
      for (let next = coming.at(-1); next && begin + next[0] * second < now.currentTime + 1.2; next = coming.at(-1)) {
        const [onset, length, pitch, velocity] = next;
        coming.pop();
        note(now, out, begin + onset * second, Math.max(length * second, 0.05), pitch, velocity);
      }
    };
    strike();
    const striking = setInterval(strike, 300);
    const tick = (): void => {
      const beat = (now.currentTime - begin) / second;
      if (beat > roll.beats + 0.5) return done();
      at(Math.max(beat, 0));
      timer = requestAnimationFrame(tick);
    };
    let timer = requestAnimationFrame(tick);
    return () => {
      cancelAnimationFrame(timer);
      clearInterval(striking);
      out.disconnect();
      soft.disconnect();
      at(null);
    };
  });
}

/** A struck string, roughly: a triangle and its octave, quick to rise and slow to fall. */
function note(sound: AudioContext, out: AudioNode, start: number, seconds: number, pitch: number, velocity: number): void {
  const gain = new GainNode(sound, { gain: 0 });
  gain.connect(out);
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.15 + 0.85 * velocity, start + 0.008);
  gain.gain.exponentialRampToValueAtTime(0.05 + 0.1 * velocity, start + seconds + 0.02);
  gain.gain.linearRampToValueAtTime(0, start + seconds + 0.14);
  for (const [octave, type] of [[1, "triangle"], [2, "sine"]] as const) {
    const voice = new OscillatorNode(sound, { type, frequency: 440 * 2 ** ((pitch - 69) / 12) * octave });
    voice.connect(new GainNode(sound, { gain: octave === 1 ? 1 : 0.25 })).connect(gain);
    voice.start(start);
    voice.stop(start + seconds + 0.16);
  }
}
