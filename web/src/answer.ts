// The search language's box and its answers: what was found and how sure that is, what was refused, where an expression breaks.
import * as api from "./api";
import { figure, fill, h, say } from "./dom";
import { icon } from "./icons";
import { note, pointTable, trouble } from "./lists";
import type { Studio } from "./studio";

export class Search {
  readonly element: HTMLElement;
  private readonly box: HTMLInputElement;
  private readonly out = h("div", { class: "answer" });
  private readonly latest = new api.Latest();

  constructor(private readonly studio: Studio, private readonly onFound: (found: api.Found | null) => void) {
    this.box = h("input", { type: "search", id: "search", placeholder: "chosen - #12", autocomplete: "off", spellcheck: "false", "aria-describedby": "search-help", enterkeyhint: "search" });
    this.element = h("section", { class: "search" },
      h("form", { role: "search", onsubmit: (event: Event) => {
        event.preventDefault();
        void this.ask(this.box.value);
      } },
        h("label", { for: "search" }, "Search by algebra"),
        h("div", { class: "box" }, this.box, h("button", { type: "submit", class: "tool", "aria-label": "Search" }, icon("search"))),
        h("p", { class: "muted small", id: "search-help" }, "Names of files, ", h("code", {}, "#12"), " for a point’s number or ", h("code", {}, "chosen"), "; with + and −, ", h("code", {}, "mean(a, b)"), " and operators: ", h("code", {}, "transpose(a, 2)"), ".")),
      this.out);
  }

  /** Ask for an expression; the box shows it. */
  async ask(expression: string): Promise<void> {
    this.box.value = expression;
    if (!expression.trim()) {
      this.latest.stop();
      fill(this.out);
      return this.onFound(null);
    }
    const sent = this.filled(expression);
    fill(this.out, h("p", { class: "muted" }, "Searching …"));
    try {
      const found = await this.latest.run((signal) => api.post<api.Found>("search", { expression: sent, k: 10 }, signal));
      if (!found) return;
      fill(this.out, this.told(found));
      say(found.refused ? `Refused: ${found.refused}` : `${found.hits.length} points found`);
      this.onFound(found);
    } catch (error) {
      this.onFound(null);
      fill(this.out, error instanceof api.Declined && error.at !== null ? this.pointed(error, sent) : trouble(error));
      this.box.setAttribute("aria-invalid", "true");
    }
  }

  /** The word "chosen" becomes the number of the point chosen. */
  private filled(expression: string): string {
    this.box.removeAttribute("aria-invalid");
    const { chosen } = this.studio;
    return chosen === null ? expression : expression.replace(/\bchosen\b/g, `#${chosen}`);
  }

  /** The expression with the character at fault under a mark. */
  private pointed(error: api.Declined, sent: string): HTMLElement {
    const at = Math.min(error.at ?? 0, sent.length);
    const plain = sent.slice(0, at);
    return h("div", { class: "note bad", role: "alert" }, h("code", { class: "pointed" }, plain, h("mark", {}, sent.slice(at, at + 1) || " "), sent.slice(at + 1)),
      h("p", {}, error.message, h("span", { class: "muted" }, ` (character ${at + 1})`)));
  }

  private told(found: api.Found): HTMLElement {
    if (found.refused) return h("div", {}, note("off", "Refused.", found.refused), found.why && h("p", { class: "muted small" }, found.why));
    const sure: HTMLElement[] = [];
    if (found.candidates && found.level !== null) {
      const size = found.count ?? found.candidates.length;
      sure.push(h("p", {}, h("b", {}, `${size} candidate${size === 1 ? "" : "s"}`), ` hold${size === 1 ? "s" : ""} the answer with probability ${figure(100 * found.level)} %.`));
      if (size) sure.push(h("button", { type: "button", class: "quiet", onclick: () => this.studio.select(found.candidates ?? []) }, "Select the candidates on the map"));
    } else sure.push(h("p", { class: "muted" }, "No candidate set: this space is not calibrated for search."));
    if (found.p !== null) sure.push(h("p", {}, h("b", {}, `p ${found.p < 0.001 ? "< 0.001" : `= ${figure(found.p, 2)}`}`), " against random queries: ", found.p <= 0.05 ? "nearer than chance." : "no nearer than chance would be."));
    return h("div", {}, h("div", { class: "sure" }, sure), found.why && h("p", { class: "muted small" }, found.why),
      pointTable(this.studio, "Nearest to the query", found.hits, { empty: "Nothing was found." }));
  }
}
