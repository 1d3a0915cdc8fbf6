// Points by the hundred thousand: WebGL through three, with shaders of our own that need no code made at run time (a strict
// content security policy forbids it). The ways of all points are one buffer, uploaded once: the two knots between which a slider
// stands are attributes that point into it, and the share of the way a uniform, so that no frame uploads anything. Points are
// drawn in a shuffled order, so that the first of them are a fair sample: where a frame takes long, a moving slider draws as
// many as there is time for, and all of them once it rests.
import {
  BufferAttribute, BufferGeometry, Camera, DynamicDrawUsage, GLSL3, InterleavedBuffer, InterleavedBufferAttribute, OrthographicCamera, PerspectiveCamera, Points, RawShaderMaterial, Scene,
  Vector3, WebGLRenderer,
} from "three";
import { framed } from "./dom";

const VERTEX = `
precision highp float;
uniform mat4 modelViewMatrix, projectionMatrix;
uniform float share, size, near;
in vec3 position, next;
in vec4 colour;
out vec4 tint;
out float rim;
void main() {
  gl_Position = projectionMatrix * modelViewMatrix * vec4(mix(position, next, share), 1.0);
  gl_PointSize = colour.a == 0.0 ? 0.0 : max(1.0, size * mix(1.0, near / gl_Position.w, step(0.001, near)));
  if (colour.a == 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  tint = colour;
  rim = 1.0 / max(gl_PointSize, 2.0);
}`;
const FRAGMENT = `
precision mediump float;
in vec4 tint;
in float rim;
out vec4 shown;
void main() {
  float edge = length(gl_PointCoord - 0.5);
  if (edge > 0.5) discard;
  shown = vec4(tint.rgb, tint.a * smoothstep(0.5, 0.5 - 1.5 * rim, edge));
}`;

interface Span { middle: number; half: number; whole: number; reach: number }
/** Milliseconds: frames longer than SLOW draw fewer points, shorter than QUICK more; a slider that is still for REST rests. */
const [SLOW, QUICK, REST, FEWEST] = [40, 24, 160, 4000];

export interface View { x: number; y: number; scale: number; yaw: number; pitch: number }

export class Cloud {
  readonly canvas: HTMLCanvasElement;
  readonly view: View = { x: 0, y: 0, scale: 1, yaw: 0.6, pitch: 0.45 };
  axes: 2 | 3 = 2;
  count = 0;
  /** Called after each frame, with which what lies above the canvas is drawn. */
  drawn: () => void = () => undefined;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly flat = new OrthographicCamera(-1, 1, 1, -1, -10, 10);
  private readonly deep = new PerspectiveCamera(35, 1, 0.01, 100);
  private readonly geometry = new BufferGeometry();
  private readonly material: RawShaderMaterial;
  private centre = new Vector3();
  private radius = 1;
  private wide = 1;
  private tall = 1;
  /** Middle and half size of everything, outliers too. */
  private all = { x: 0, y: 0, wide: 1, tall: 1, radius: 1 };
  private width = 1;
  private height = 1;
  /** `[knots, n, axes]`, and the knot that is left behind; its places and the next one's, `[n, axes]`. */
  private ways = new InterleavedBuffer(new Float32Array(), 1);
  private knot = -1;
  private places: Float32Array = new Float32Array();
  private nexts: Float32Array = new Float32Array();
  private colours: Uint8Array = new Uint8Array();
  /** How many points a frame draws while a slider moves, when the last such frame was, and the end of the move. */
  private sample = Infinity;
  private last = 0;
  private rest = 0;
  readonly draw: () => void;

  /** Throws where there is no WebGL. */
  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, alpha: true, antialias: false, powerPreference: "low-power" });
    this.renderer.setClearColor(0, 0);
    this.material = new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, transparent: true, depthTest: false, depthWrite: false,
      uniforms: { share: { value: 0 }, size: { value: 4 }, near: { value: 0 } },
    });
    const points = new Points(this.geometry, this.material);
    points.frustumCulled = false;
    this.scene.add(points);
    this.draw = framed(() => this.render());
  }

  /** Places `[n, axes]`; the view is kept unless the axes change. */
  put(places: Float32Array, axes: 2 | 3): void {
    const changed = axes !== this.axes || this.count === 0;
    this.axes = axes;
    this.count = places.length / axes;
    if (this.colours.length !== 4 * this.count) this.colours = new Uint8Array(4 * this.count).fill(128);
    if (this.geometry.index?.count !== this.count) this.geometry.setIndex(new BufferAttribute(shuffled(this.count), 1));
    this.follow(places);
    this.colour();
    this.stand(0, 0);
    this.bound();
    if (changed) Object.assign(this.view, { x: 0, y: 0, scale: 1, yaw: 0.6, pitch: 0.45 });
    this.draw();
  }

  /** The ways on which `at` moves the points, `[knots, n, axes]`. */
  follow(ways: Float32Array): void {
    this.geometry.dispose(); // buffers that are only replaced would pile up in the card's memory
    this.ways = new InterleavedBuffer(ways, this.axes);
    this.knot = -1;
  }

  /** A share of the stretch from a knot to the next. */
  at(knot: number, share: number): void {
    this.stand(knot, share);
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => {
      this.rest = this.last = 0;
      this.draw();
    }, REST);
    this.draw();
  }

  /** Four bytes a point; alpha 0 hides it. */
  paint(colours: Uint8Array): void {
    this.colours = colours;
    this.colour();
    this.draw();
  }

  /** Everything in view; to begin with it is the bulk, which a few points far off would make a speck. */
  home(): void {
    const { all, width, height } = this;
    const far = this.axes === 2 ? (1.06 * Math.max(all.tall, (all.wide * height) / width)) / this.half() : all.radius / this.radius;
    Object.assign(this.view, { x: all.x, y: all.y, scale: 1 / Math.max(far, 1), yaw: 0.6, pitch: 0.45 });
    this.draw();
  }

  resize(width: number, height: number): void {
    [this.width, this.height] = [Math.max(width, 1), Math.max(height, 1)];
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(this.width, this.height, false);
    this.render(); // at once: a canvas that was resized is blank
  }

  /** Drag by so many pixels. */
  pan(dx: number, dy: number): void {
    const { view } = this;
    if (this.axes === 2) {
      const unit = (2 * this.half()) / this.height / view.scale;
      view.x -= dx * unit;
      view.y += dy * unit;
    } else {
      view.yaw -= dx * 0.008;
      view.pitch = Math.min(1.5, Math.max(-1.5, view.pitch + dy * 0.008));
    }
    this.draw();
  }

  /** Nearer by a factor, about a pixel of the canvas. */
  zoom(factor: number, px = this.width / 2, py = this.height / 2): void {
    const before = this.view.scale;
    this.view.scale = Math.min(400, Math.max(0.01, before * factor));
    if (this.axes === 2) {
      const kept = (2 * this.half()) / this.height * (1 / before - 1 / this.view.scale);
      this.view.x += (px - this.width / 2) * kept;
      this.view.y -= (py - this.height / 2) * kept;
    }
    this.draw();
  }

  /** Pixel of a place (2 or 3 numbers), null behind the camera. */
  pixel(place: ArrayLike<number>): [number, number] | null {
    const at = new Vector3(place[0], place[1], this.axes === 3 ? place[2] : 0).project(this.camera());
    return at.z > 1 && this.axes === 3 ? null : [((at.x + 1) / 2) * this.width, ((1 - at.y) / 2) * this.height];
  }

  /** Pixel of a point, as it is shown now. */
  pixelOf(i: number): [number, number] | null {
    return i < this.count ? this.pixel(this.placeOf(i)) : null;
  }

  placeOf(i: number): [number, number, number] {
    const share = this.get("share");
    const along = (axis: number): number => mixed(this.places[this.axes * i + axis] as number, this.nexts[this.axes * i + axis] as number, share);
    return [along(0), along(1), this.axes === 3 ? along(2) : 0];
  }

  /** The point nearest to a pixel, at most `reach` pixels away; hidden ones are not found. */
  nearest(px: number, py: number, reach = 14): number | null {
    let best: number | null = null;
    let least = reach * reach;
    this.each((i, x, y) => {
      const away = (x - px) ** 2 + (y - py) ** 2;
      if (away < least) [best, least] = [i, away];
    });
    return best;
  }

  /** The points inside a polygon of pixels. */
  inside(polygon: [number, number][]): number[] {
    const xs = polygon.map((p) => p[0]);
    const ys = polygon.map((p) => p[1]);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
    const found: number[] = [];
    this.each((i, x, y) => {
      if (x >= box[0] && y >= box[1] && x <= box[2] && y <= box[3] && within(polygon, x, y)) found.push(i);
    });
    return found;
  }

  close(): void {
    clearTimeout(this.rest);
    this.geometry.dispose();
    this.material.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }

  private each(work: (i: number, x: number, y: number) => void): void {
    const camera = this.camera();
    const m = camera.projectionMatrix.clone().multiply(camera.matrixWorldInverse).elements as number[] & { length: 16 };
    const [a, b, c, d, e, f, g, o, p, q, r, w] = [m[0], m[4], m[8], m[12], m[1], m[5], m[9], m[13], m[3], m[7], m[11], m[15]] as number[] as [
      number, number, number, number, number, number, number, number, number, number, number, number];
    const [share, axes] = [this.get("share"), this.axes];
    for (let i = 0; i < this.count; i++) {
      if (this.colours[4 * i + 3] === 0) continue;
      const x = mixed(this.places[axes * i] as number, this.nexts[axes * i] as number, share);
      const y = mixed(this.places[axes * i + 1] as number, this.nexts[axes * i + 1] as number, share);
      const z = axes === 3 ? mixed(this.places[3 * i + 2] as number, this.nexts[3 * i + 2] as number, share) : 0;
      const depth = p * x + q * y + r * z + w;
      if (depth <= 0) continue;
      const sx = (a * x + b * y + c * z + d) / depth;
      const sy = (e * x + f * y + g * z + o) / depth;
      work(i, ((sx + 1) / 2) * this.width, ((1 - sy) / 2) * this.height);
    }
  }

  /** Half the height of the data in view at scale 1. */
  private half(): number {
    return 1.06 * Math.max(this.tall, (this.wide * this.height) / this.width, 1e-9);
  }

  private camera(): Camera {
    const { view, centre } = this;
    if (this.axes === 2) {
      const half = this.half() / view.scale;
      const wide = (half * this.width) / this.height;
      const [x, y] = [centre.x + view.x, centre.y + view.y];
      Object.assign(this.flat, { left: x - wide, right: x + wide, top: y + half, bottom: y - half });
      this.flat.updateProjectionMatrix();
      this.flat.updateMatrixWorld();
      return this.flat;
    }
    const away = this.away();
    const level = Math.cos(view.pitch);
    this.deep.aspect = this.width / this.height;
    this.deep.near = away / 1000;
    this.deep.far = away + 20 * Math.max(this.radius, this.all.radius);
    this.deep.position.set(
      centre.x + away * level * Math.sin(view.yaw), centre.y + away * Math.sin(view.pitch), centre.z + away * level * Math.cos(view.yaw),
    );
    this.deep.lookAt(centre);
    this.deep.updateProjectionMatrix();
    this.deep.updateMatrixWorld();
    return this.deep;
  }

  private away(): number {
    return (3.6 * this.radius * Math.max(1, this.height / this.width)) / this.view.scale;
  }

  private render(): void {
    const crowd = this.count > 200000 ? 1.6 : this.count > 50000 ? 2.2 : this.count > 8000 ? 3.4 : this.count > 1500 ? 6 : 9;
    this.set("size", crowd * Math.min(devicePixelRatio, 2) * Math.min(3, Math.max(1, this.view.scale ** 0.35)));
    this.set("near", this.axes === 3 ? this.away() : 0);
    this.geometry.setDrawRange(0, this.rest ? this.affordable() : this.count);
    this.renderer.render(this.scene, this.camera());
    this.drawn();
  }

  /** As many points as a frame of a moving slider has had time for. */
  private affordable(): number {
    const now = performance.now();
    const took = this.last ? now - this.last : QUICK;
    this.last = now;
    if (took > SLOW) this.sample = Math.max(FEWEST, 0.6 * Math.min(this.sample, this.count));
    else if (took < QUICK) this.sample *= 1.2;
    return Math.min(Math.round(this.sample), this.count);
  }

  /** The middle and the size of the bulk, 94 in 100 points along each axis, and of everything. */
  private bound(): void {
    if (!this.count) return;
    const step = Math.max(1, Math.floor(this.count / 20000));
    const spans = [0, 1, 2].map((axis) => {
      let [low, high] = [Infinity, -Infinity];
      const some: number[] = [];
      for (let i = 0; i < this.count; i++) {
        const value = axis < this.axes ? (this.places[this.axes * i + axis] as number) : 0;
        if (value < low) low = value;
        if (value > high) high = value;
        if (i % step === 0) some.push(value);
      }
      some.sort((p, q) => p - q);
      const bulk = [some[Math.floor(0.03 * some.length)], some[Math.ceil(0.97 * some.length) - 1]] as [number, number];
      return { middle: (bulk[0] + bulk[1]) / 2, half: (1.25 * (bulk[1] - bulk[0])) / 2, whole: (low + high) / 2, reach: (high - low) / 2 };
    });
    const [x, y, z] = spans as [Span, Span, Span];
    this.centre.set(x.middle, y.middle, z.middle);
    [this.wide, this.tall] = [x.half || x.reach, y.half || y.reach];
    this.radius = Math.max(x.half, y.half, z.half) || 1;
    this.all = {
      x: x.whole - x.middle, y: y.whole - y.middle, wide: x.reach, tall: y.reach,
      radius: Math.max(...[x, y, z].map((each) => each.reach + Math.abs(each.whole - each.middle)), 1e-9),
    };
  }

  private stand(knot: number, share: number): void {
    this.set("share", share);
    if (knot === this.knot) return;
    const { ways, axes } = this;
    const width = this.count * axes;
    const knots = [knot, Math.min(knot + 1, ways.array.length / width - 1)] as const;
    [this.places, this.nexts] = knots.map((k) => ways.array.subarray(k * width, (k + 1) * width)) as [Float32Array, Float32Array];
    ["position", "next"].forEach((name, at) => {
      this.geometry.setAttribute(name, new InterleavedBufferAttribute(ways, axes, (knots[at] as number) * width));
    });
    this.knot = knot;
  }

  private colour(): void {
    const there = this.geometry.getAttribute("colour") as BufferAttribute | undefined;
    if (there?.array.length === this.colours.length) {
      there.array = this.colours;
      there.needsUpdate = true;
    } else this.geometry.setAttribute("colour", new BufferAttribute(this.colours, 4, true).setUsage(DynamicDrawUsage));
  }

  private set(name: string, value: number): void {
    (this.material.uniforms[name] as { value: number }).value = value;
  }

  private get(name: string): number {
    return (this.material.uniforms[name] as { value: number }).value;
  }
}

/** 0 … n - 1 in an order that is random and always the same. */
function shuffled(n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let seed = 1;
  for (let i = n - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 4294967296) * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

function mixed(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

function within(polygon: [number, number][], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i] as [number, number];
    const [xj, yj] = polygon[j] as [number, number];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
