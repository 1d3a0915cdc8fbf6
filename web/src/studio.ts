// What all views share: the space, its points and columns as they come, the point chosen and those selected.
import * as api from "./api";

type Heard = "chosen" | "selected";

export class Studio {
  chosen: number | null = null;
  selected: number[] = [];
  /** The column that colours, kept from view to view. */
  column = "";
  axes: 2 | 3 = 2;
  private readonly kept = new Map<string, Promise<unknown>>();
  private readonly ears: Record<Heard, Set<() => void>> = { chosen: new Set(), selected: new Set() };

  constructor(readonly info: api.SpaceInfo) {
    this.column = info.columns.find((c) => c.kind === "category")?.name ?? info.columns[0]?.name ?? "";
  }

  points(axes: 2 | 3): Promise<Float32Array> {
    return this.once(`points ${axes}`, () => api.points(axes));
  }

  data(column: string): Promise<api.ColumnData> {
    return this.once(`column ${column}`, () => api.get(`column/${encodeURIComponent(column)}`));
  }

  point(i: number): Promise<api.Point> {
    return this.once(`point ${i}`, () => api.get(`point/${i}`));
  }

  choose(i: number | null): void {
    if (i === this.chosen) return;
    this.chosen = i;
    this.tell("chosen");
  }

  select(rows: number[]): void {
    this.selected = rows;
    this.tell("selected");
  }

  /** Returns its undoing. */
  on(what: Heard, work: () => void): () => void {
    this.ears[what].add(work);
    return () => this.ears[what].delete(work);
  }

  private tell(what: Heard): void {
    for (const work of [...this.ears[what]]) work();
  }

  /** Ask once; what failed is asked again next time. */
  private once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const kept = this.kept.get(key) as Promise<T> | undefined;
    if (kept) return kept;
    if (this.kept.size > 5000) this.kept.clear();
    const fresh = work();
    this.kept.set(key, fresh);
    fresh.catch(() => this.kept.delete(key));
    return fresh;
  }
}

/** A view fills its host and returns what is to be done when it is left. */
export type ViewMaker = (studio: Studio, host: HTMLElement, asked: URLSearchParams) => Promise<() => void> | (() => void);
