// The mixer: files as stems, faders in dB; the sum of their latents beside the latent of the true mix; take a stem out and find it.
import * as api from "../api";
import { figure, fill, h, say, settled } from "../dom";
import { Field, type Mark } from "../field";
import { hush, soundButton } from "../hear";
import { note, pointTable, sound, trouble } from "../lists";
import { Slider } from "../slider";
import type { ViewMaker } from "../studio";
import { bars } from "../charts";

interface Loaded { file: File; gain: number; out: boolean }

const NONE = "No stems yet: put two or more on the desk.";

export const mixer: ViewMaker = async (studio, host) => {
  const stems: Loaded[] = [];
  let mix: api.Mix | null = null;
  const latest = new api.Latest();
  studio.axes = 2;
  const field = new Field(studio, "The mix on the map", async () => undefined);
  const strips = h("div", { class: "strips" });
  const result = h("section", { class: "result", "aria-label": "The mix" });
  const pick = h("input", { type: "file", id: "stems", multiple: true, accept: studio.info.kind === "midi" ? ".mid,.midi" : "audio/*,.wav,.flac,.ogg,.mp3", onchange: () => {
    void add([...(pick.files ?? [])]);
    pick.value = "";
  } });
  const fromMap = h("button", { type: "button", class: "quiet", onclick: () => void addChosen() });
  const drop = h("div", { class: "drop" }, h("label", { for: "stems", class: "as-button" }, "Choose files"), pick, h("p", {}, "or drop them here: each is a stem."), studio.info.has.audio && fromMap);

  const nameChosen = async (): Promise<void> => {
    const i = studio.chosen;
    fromMap.disabled = i === null;
    const point = i === null ? null : await studio.point(i).catch(() => null);
    fromMap.textContent = point ? `Add ${point.name}` : "Choose a point on the map to add it as a stem";
  };

  const addChosen = async (): Promise<void> => {
    const i = studio.chosen;
    if (i === null) return;
    try {
      const point = await studio.point(i);
      const blob = await (await fetch(sound(i))).blob();
      await add([new File([blob], `${point.name.replaceAll(/[^\w.-]+/g, "_")}.wav`, { type: "audio/wav" })]);
    } catch (error) {
      fill(result, trouble(error));
    }
  };

  const add = async (files: File[]): Promise<void> => {
    if (!files.length) return;
    stems.push(...files.map((file) => ({ file, gain: 0, out: false })));
    await send();
  };

  /** All stems anew: the server keeps no half mix. */
  const send = async (): Promise<void> => {
    hush();
    if (!stems.length) {
      mix = null;
      fill(strips);
      field.mark([]);
      return fill(result, h("p", { class: "muted" }, NONE));
    }
    if (stems.length === 1) {
      mix = null;
      field.mark([]);
      desk();
      return fill(result, h("p", { class: "muted" }, "One stem; a mix takes two or more."));
    }
    const form = new FormData();
    for (const stem of stems) form.append("files", stem.file, stem.file.name);
    form.append("gains", stems.map((stem) => stem.gain).join(","));
    fill(result, h("p", { class: "muted" }, "Encoding the stems …"));
    try {
      const answer = await latest.run((signal) => api.post<api.Mix>("mix", form, signal));
      if (answer) show(answer);
    } catch (error) {
      stems.splice(mix ? mix.stems.length : 0);
      fill(result, trouble(error));
    }
    desk();
  };

  const turn = settled(() => void fade(), 150);
  const fade = async (): Promise<void> => {
    if (!mix) return;
    const id = mix.id;
    const removed = stems.flatMap((stem, k) => (stem.out ? [k] : []));
    try {
      const answer = await latest.run((signal) => api.post<api.Mix>(`mix/${id}`, { gains: stems.map((stem) => stem.gain), removed }, signal));
      if (answer) show(answer);
    } catch (error) {
      fill(result, trouble(error));
    }
  };

  const desk = (): void => fill(strips, stems.map((stem, k) => {
    const name = mix?.stems[k]?.name ?? stem.file.name;
    const url = mix?.stems[k]?.audio;
    const out = h("button", { type: "button", class: "quiet", "aria-pressed": String(stem.out), onclick: () => {
      stem.out = !stem.out;
      out.setAttribute("aria-pressed", String(stem.out));
      strip.classList.toggle("out", stem.out);
      turn();
    } }, "Take out");
    const strip = h("div", { class: `strip${stem.out ? " out" : ""}`, role: "group", "aria-label": name },
      h("p", { class: "line" }, url ? soundButton(url, name) : null, h("strong", {}, name)),
      new Slider({ name: "level", unit: "dB", min: -60, max: 12, step: 0.5, value: stem.gain, start: 0 }, (value) => {
        stem.gain = value;
        turn();
      }).element,
      h("p", { class: "line" }, out, h("button", { type: "button", class: "quiet", "aria-label": `Close ${name}`, onclick: () => {
        stems.splice(k, 1);
        void send();
      } }, "Close")));
    return strip;
  }));

  const show = (answer: api.Mix): void => {
    mix = answer;
    const taken = answer.removed.map((k) => answer.stems[k]?.name).join(", ");
    fill(result,
      h("p", { class: "line" }, soundButton(answer.audio, "the mix"), h("strong", {}, "The mix"), h("span", { class: "muted" }, `${figure(answer.seconds)} s from ${figure(answer.at)} s`)),
      bars("How far from the latent of the true mix", [{ name: "sum of the stems' latents", value: answer.distance, own: true }, ...answer.controls.map((each) => ({ name: each.name, value: each.distance }))], figure),
      h("p", { class: "muted small" }, `The sum misses the true mix by ${figure(100 * answer.relative)} % of its length.`),
      answer.rest && h("div", { class: "rest" },
        h("h2", {}, `Without ${taken}`),
        h("p", { class: "line" }, soundButton(answer.rest.audio, "what is left"), h("span", { class: "muted" }, `what is left; ${figure(answer.rest.distance)} from the latent of the true rest`)),
        pointTable(studio, "Found in the index: the mix less the stems taken out", answer.rest.nearest, { most: 5 })),
      h("div", { class: "pair" }, pointTable(studio, "Nearest to the sum", answer.nearest_sum, { most: 5 }), pointTable(studio, "Nearest to the true mix", answer.nearest_true, { most: 5 })));
    const marks: Mark[] = Object.entries(answer.places).map(([name, place]) => ({ place, kind: name === "sum" || name === "rest" ? "target" : name === "mix" ? "truth" : "near", text: stemName(answer, name) }));
    field.mark(marks);
    say(`The sum is ${figure(answer.distance)} from the true mix`);
  };

  for (const kind of ["dragover", "drop", "dragleave"]) drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") void add([...((event as DragEvent).dataTransfer?.files ?? [])]);
  });
  if (!studio.info.has.audio) {
    fill(host, h("div", { class: "page" }, h("h1", {}, "Mixer"), note("off", "Nothing to mix.", "This space hears no sound; open one of sounds, or oplas studio --demo.")));
    return () => undefined;
  }
  fill(host, h("div", { class: "page" }, h("h1", {}, "Mixer"),
    h("p", { class: "lead" }, "In a space that holds mixing, the latent of a mix is the sum of its stems' latents. Put stems on the desk and see how nearly."),
    studio.info.laws.some((law) => /mix/i.test(law.action) && law.verdict !== "holds") && note("plain", "Mind:", studio.info.laws.find((law) => /mix/i.test(law.action))?.why ?? ""),
    h("div", { class: "desk" }, h("section", { "aria-label": "Stems" }, drop, strips), h("div", {}, field.element, result))));
  const undo = studio.on("chosen", () => void nameChosen());
  void nameChosen();
  fill(result, h("p", { class: "muted" }, NONE));
  await field.show();
  const plain = new Uint8Array(4 * studio.info.count).map((_, k) => (k % 4 === 3 ? 90 : 136));
  field.cloud?.paint(plain);
  return () => {
    undo();
    latest.stop();
    field.close();
  };
};

/** A place on the map by its stem's own name. */
function stemName(mix: api.Mix, place: string): string {
  const k = /^stem (\d+)$/.exec(place)?.[1];
  return k === undefined ? place : mix.stems[Number(k)]?.name ?? place;
}
