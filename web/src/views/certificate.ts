// The certificate, to read and to hand on.
import * as api from "../api";
import { figure, fill, h, named, say } from "../dom";
import { note, verdictMark } from "../lists";
import type { ViewMaker } from "../studio";

type Value = unknown;
type Told = Record<string, Value>;
const COLUMNS: [string, string][] = [["r2", "R²"], ["top1", "top-1"], ["top5", "top-5"], ["median_rank", "median rank"], ["effective_rank", "effective rank"], ["probe", "probe"], ["overlap", "overlap"]];

export const certificate: ViewMaker = async (studio, host) => {
  const page = h("div", { class: "page" }, h("h1", {}, "Certificate"));
  fill(host, page);
  const told = studio.info.has.certificate ? await api.get<Told>("certificate") : null;
  if (!told) {
    page.append(laws(studio.info.laws), note("off", "No certificate.", "This space has none: oplas certify measures its laws on songs it has not learned from and writes one."));
    return () => undefined;
  }
  page.append(
    h("p", { class: "line actions" }, h("a", { href: "certificate", target: "_blank", rel: "noopener", class: "as-button" }, "Open as a page"),
      h("a", { href: "certificate", download: `${studio.info.name}-certificate.html`, class: "quiet" }, "Save the page"),
      h("a", { href: "api/certificate", download: `${studio.info.name}-certificate.json`, class: "quiet" }, "Save the figures"),
      h("button", { type: "button", class: "quiet", onclick: () => print() }, "Print"),
      h("button", { type: "button", class: "quiet", onclick: () => void copy(told) }, "Copy in words")),
    h("div", { class: "judgement" }, verdictMark(String(told["verdict"] ?? "")), h("p", {}, String(told["why"] ?? ""))),
    ...rows(told), laws(studio.info.laws), scalars(told));
  return () => undefined;
};

function laws(all: api.Law[]): HTMLElement {
  if (!all.length) return h("p", { class: "muted" }, "This space claims no law.");
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Laws" }, h("table", {}, h("caption", {}, "Laws the space claims"),
    h("thead", {}, h("tr", {}, ["law", "what is done", "becomes", "verdict"].map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, all.map((law) => h("tr", {}, h("td", {}, law.name), h("td", {}, h("code", {}, law.action)), h("td", {}, h("code", {}, law.operator)), h("td", {}, verdictMark(law.verdict), h("p", { class: "muted small" }, law.why)))))));
}

function rows(told: Told): HTMLElement[] {
  const all = told["rows"] as Told[] | undefined;
  if (!Array.isArray(all) || !all.length) return [];
  const there = COLUMNS.filter(([key]) => all.some((row) => typeof row[key] === "number"));
  return [h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The space beside its controls" }, h("table", {}, h("caption", {}, "The space, first, beside controls on the same songs"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "space"), there.map(([, name]) => h("th", { scope: "col", class: "number" }, name)))),
    h("tbody", {}, all.map((row, k) => h("tr", { class: k ? "" : "own" }, h("th", { scope: "row" }, String(row["space"])), there.map(([key]) => h("td", { class: "number" }, figure(row[key] as number))))))))];
}

/** Everything else that is one figure or one word. */
function scalars(told: Told): HTMLElement {
  const flat: [string, string][] = [];
  for (const [key, value] of Object.entries(told)) {
    if (["verdict", "why", "rows", "plots"].includes(key)) continue;
    if (typeof value === "number") flat.push([named(key), figure(value)]);
    else if (typeof value === "string" || typeof value === "boolean") flat.push([named(key), String(value)]);
    else if (value && typeof value === "object" && !Array.isArray(value)) {
      const inner = Object.entries(value as Told).filter(([, each]) => typeof each === "number" || typeof each === "string");
      if (inner.length) flat.push([named(key), inner.map(([name, each]) => `${named(name)} ${typeof each === "number" ? figure(each) : String(each)}`).join(" · ")]);
    }
  }
  return h("dl", { class: "facts" }, flat.map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)]));
}

async function copy(told: Told): Promise<void> {
  const text = `${String(told["law"] ?? "")}: ${String(told["verdict"] ?? "")}\n${String(told["why"] ?? "")}\n${location.origin}/certificate`;
  await navigator.clipboard.writeText(text).then(() => say("Copied"), () => say("The browser did not allow copying"));
}
