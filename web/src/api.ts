// What the page asks of its server: the types of src/oplas/studio/schema.py, and the ways in which an answer can fail to come.

export interface Law { name: string; action: string; operator: string; verdict: string | null; why: string }
export interface Parameter { name: string; kind: "number" | "point"; unit: string; min: number; max: number; step: number; default: number }
export interface Operator { name: string; title: string; law: string; parameters: Parameter[]; certified: boolean; why: string }
export interface Column { name: string; kind: "category" | "number"; values: string[] | null }
export interface ColumnData { kind: "category" | "number"; values: (number | null)[] | null; codes: number[] | null; categories: string[] | null }
export interface SpaceInfo {
  name: string; encoder: string; width: number; kind: "audio" | "midi"; count: number; seconds: number; demo: boolean
  laws: Law[]; operators: Operator[]; columns: Column[]
  has: { ring: boolean; faders: boolean; certificate: boolean; audio: boolean; rolls: boolean }
}
export interface Hit { i: number; name: string; distance: number }
export interface Point { i: number; name: string; start: number | null; values: Record<string, string | number | null>; audio: boolean; roll: boolean }
export interface Roll { name: string; beats: number; tempo: number; parts: string[]; notes: [number, number, number, number, number][] }
export interface Truth {
  known: boolean; why: string; r2: number | null; distance: number | null; stayed: number | null
  audio: string | null; roll: string | null; place: number[] | null
}
export interface Moved { moved: number[][]; neighbours: Hit[]; truth: Truth; certified: boolean; refused: string | null }
export interface Found {
  hits: Hit[]; candidates: number[] | null; count: number | null; level: number | null; p: number | null
  refused: string | null; why: string; place: number[] | null
}
export interface Stem { name: string; seconds: number; gain: number; audio: string }
export interface Mix {
  id: string; at: number; seconds: number; stems: Stem[]; audio: string; distance: number; relative: number
  controls: { name: string; distance: number }[]; nearest_sum: Hit[]; nearest_true: Hit[]; removed: number[]
  rest: { distance: number; nearest: Hit[]; audio: string } | null; places: Record<string, number[]>
}
export interface PartFound { i: number; name: string; weight: number; gain: number; left: number; audio: string | null }
export interface Parts { i: number; parts: PartFound[]; unexplained: number; why: string }
export interface OnRing { song: number; i: number | null; name: string; label: string; angle: number; confidence: number }
export interface Ring { available: boolean; why: string; labels: string[]; songs: OnRing[] }
export interface Turned {
  label: string; angle: number; confidence: number; nearest: OnRing[]; semitones: number; distance: number; roll: string; roll_before: string
}
export interface Fader {
  name: string; unit: string; min: number; max: number; step: number
  response: [number, number][]; side: Record<string, number>; certified: boolean; why: string
}
/** Where every point is at each knot of a slider: `[knots, count, axes]`. */
export interface Path { knots: number[]; places: Float32Array }

/** The server understood and declined; `at` is a character of the expression that was sent. */
export class Declined extends Error {
  constructor(message: string, readonly status: number, readonly at: number | null) {
    super(message);
  }
}

/** No answer at all: the server was stopped, or the way to it is cut. */
export class Gone extends Error {
  constructor() {
    super("The studio's server does not answer.");
  }
}

let onGone = (): void => undefined;

export function whenGone(work: () => void): void {
  onGone = work;
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    onGone();
    throw new Gone();
  }
  if (answer.ok) return answer;
  const fault = (await answer.json().catch(() => ({}))) as { error?: string; at?: number | null };
  throw new Declined(fault.error ?? `The server answered ${answer.status}.`, answer.status, fault.at ?? null);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(`api/${path}`, signal ? { signal } : {})).json()) as T;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await ask(`api/${path}`, sent(body, signal))).json()) as T;
}

export async function points(axes: 2 | 3): Promise<Float32Array> {
  return new Float32Array(await (await ask(`api/points?axes=${axes}`)).arrayBuffer());
}

export async function plan(operator: string, parameters: Record<string, number>, axes: 2 | 3, signal: AbortSignal): Promise<Path> {
  const answer = await ask("api/operate/plan", sent({ operator, parameters, axes }, signal));
  const knots = (answer.headers.get("X-Oplas-Knots") ?? "").split(",").map(Number);
  return { knots, places: new Float32Array(await answer.arrayBuffer()) };
}

function sent(body: unknown, signal?: AbortSignal): RequestInit {
  const form = body instanceof FormData;
  return {
    method: "POST",
    body: form ? body : JSON.stringify(body),
    ...(form ? {} : { headers: { "Content-Type": "application/json" } }),
    ...(signal ? { signal } : {}),
  };
}

/** Run only the latest: a new call gives up the one before. */
export class Latest {
  private control = new AbortController();

  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    this.control.abort();
    const control = (this.control = new AbortController());
    try {
      const answer = await work(control.signal);
      return control.signal.aborted ? undefined : answer;
    } catch (error) {
      if (control.signal.aborted) return undefined;
      throw error;
    }
  }

  stop(): void {
    this.control.abort();
  }
}

/** What lies at an address that the server itself named. */
export async function fetched<T>(url: string): Promise<T> {
  return (await (await ask(url)).json()) as T;
}
