// Points along the way of a slider: straight between knots, so that a frame of the slider asks nothing of the server.
import type { Path } from "./api";
import type { Cloud } from "./cloud";

export class Track {
  private moved = false;

  constructor(private readonly path: Path, private readonly axes: 2 | 3) {}

  get count(): number {
    return this.path.places.length / this.axes / this.path.knots.length;
  }

  /** Which stretch a value lies on, and how far along it. */
  private locate(value: number): [number, number] {
    const { knots } = this.path;
    let k = 0;
    while (k < knots.length - 2 && value > (knots[k + 1] as number)) k++;
    const [a, b] = [knots[k] as number, knots[k + 1] ?? (knots[k] as number)];
    return [k, b === a ? 0 : Math.min(Math.max((value - a) / (b - a), 0), 1)];
  }

  private knot(k: number): Float32Array {
    const width = this.count * this.axes;
    return this.path.places.subarray(k * width, (k + 1) * width);
  }

  /** Move every point of the cloud. */
  move(cloud: Cloud, value: number): void {
    const [k, share] = this.locate(value);
    if (!this.moved) cloud.follow(this.path.places);
    this.moved = true;
    cloud.at(k, share);
  }

  /** Give the cloud up; whether it had been moved. */
  rest(): boolean {
    const { moved } = this;
    this.moved = false;
    return moved;
  }

  /** Where one point is. */
  place(i: number, value: number): number[] {
    const [k, share] = this.locate(value);
    const [a, b] = [this.knot(k), this.knot(Math.min(k + 1, this.path.knots.length - 1))];
    return Array.from({ length: this.axes }, (_, axis) => {
      const from = a[i * this.axes + axis] as number;
      return from + ((b[i * this.axes + axis] as number) - from) * share;
    });
  }

  /** One point's whole way. */
  way(i: number): number[][] {
    return this.path.knots.map((value) => this.place(i, value));
  }
}
