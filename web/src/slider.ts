// A slider that says what it holds: label, track with its zero, value with unit. Arrow keys come with the native control.
import { h, named } from "./dom";

export interface SliderSpec { name: string; unit: string; min: number; max: number; step: number; value: number; start?: number }

let count = 0;

export class Slider {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly output: HTMLOutputElement;

  constructor(private readonly spec: SliderSpec, on: (value: number) => void) {
    const id = `slider-${++count}`;
    const begin = spec.start ?? spec.value;
    this.input = h("input", {
      type: "range", id, min: spec.min, max: spec.max, step: spec.step || "any", value: spec.value, autocomplete: "off",
      oninput: () => {
        this.tell();
        on(this.value);
      },
      ondblclick: () => {
        this.value = begin;
        on(begin);
      },
    });
    this.input.value = String(spec.value);
    this.output = h("output", { for: id });
    this.element = h("p", { class: "slider" }, h("label", { for: id }, named(spec.name)), this.output, this.input);
    this.input.style.setProperty("--zero", `${(100 * (Math.min(Math.max(begin, spec.min), spec.max) - spec.min)) / (spec.max - spec.min || 1)}%`);
    this.tell();
  }

  get value(): number {
    return Number(this.input.value);
  }

  set value(to: number) {
    this.input.value = String(to);
    this.tell();
  }

  private tell(): void {
    const { step, min, max, unit } = this.spec;
    const places = step && Number.isInteger(step) ? 0 : max - min > 20 ? 1 : 2;
    const text = `${this.value > 0 && min < 0 ? "+" : this.value < 0 ? "−" : ""}${Math.abs(this.value).toFixed(places)}`;
    this.output.textContent = `${text} ${unit}`.trim();
    this.input.setAttribute("aria-valuetext", this.output.textContent);
    this.input.style.setProperty("--at", `${(100 * (this.value - min)) / (max - min || 1)}%`);
  }
}
