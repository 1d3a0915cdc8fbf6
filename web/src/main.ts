// The shell: which view, which theme, and what is said when the server has gone.
import * as api from "./api";
import { byId, fill, h, say } from "./dom";
import { hush } from "./hear";
import { trouble } from "./lists";
import { Studio, type ViewMaker } from "./studio";
import { startTheme } from "./theme";
import { bench } from "./views/bench";
import { certificate } from "./views/certificate";
import { faders } from "./views/faders";
import { map } from "./views/map";
import { mixer } from "./views/mixer";
import { parts } from "./views/parts";
import { ring } from "./views/ring";

const VIEWS: Record<string, [string, ViewMaker]> = {
  map: ["Map", map], operators: ["Operators", bench], mixer: ["Mixer", mixer], ring: ["Ring", ring],
  faders: ["Faders", faders], parts: ["Parts", parts], certificate: ["Certificate", certificate],
};
let leave: () => void = () => undefined;
let turn = 0;

function lacking(name: string, info: api.SpaceInfo): boolean {
  return (name === "ring" && !info.has.ring) || (name === "faders" && !info.has.faders) || (name === "certificate" && !info.has.certificate) || (name === "mixer" && !info.has.audio);
}

function navigation(info: api.SpaceInfo | null): void {
  fill(byId("nav"), Object.entries(VIEWS).map(([name, [title]]) =>
    h("a", { href: `#/${name}`, class: info && lacking(name, info) ? "lacking" : "", "data-view": name }, title)));
}

async function open(studio: Studio): Promise<void> {
  const mine = ++turn;
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const name = path in VIEWS ? path : "map";
  const [title, view] = VIEWS[name] as [string, ViewMaker];
  leave();
  leave = () => undefined;
  hush();
  for (const link of byId("nav").querySelectorAll("a")) {
    if (link.dataset["view"] === name) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else link.removeAttribute("aria-current");
  }
  document.title = `${title} · ${studio.info.name} · oplas studio`;
  const host = h("div", { class: `view at-${name}` });
  fill(byId("main"), host);
  try {
    const left = await view(studio, host, new URLSearchParams(query));
    if (mine === turn) leave = left;
    else left();
  } catch (error) {
    fill(host, h("div", { class: "page" }, h("h1", {}, title), trouble(error), h("p", {}, h("button", { type: "button", class: "as-button", onclick: () => void open(studio) }, "Try again"))));
  }
  document.documentElement.dataset["ready"] = name; // for those who wait: tests, screenshots
}

/** Say that the server has gone, and look for it until it is back. */
function gone(): void {
  const banner = byId("banner");
  if (banner.childElementCount) return;
  fill(banner, h("p", {}, h("strong", {}, "The studio's server does not answer. "), "Start it again with ", h("code", {}, "oplas studio"), "; this page goes on when it is back."));
  const look = window.setInterval(() => {
    fetch("api/space", { credentials: "same-origin" }).then((answer) => {
      if (!answer.ok) return;
      clearInterval(look);
      fill(banner);
      say("The server is back");
      location.reload();
    }, () => undefined);
  }, 2000);
}

async function start(): Promise<void> {
  startTheme();
  navigation(null);
  api.whenGone(gone);
  let info: api.SpaceInfo;
  try {
    info = await api.get<api.SpaceInfo>("space");
  } catch (error) {
    fill(byId("main"), h("div", { class: "page" }, trouble(error)));
    return;
  }
  fill(byId("space"), info.name, h("small", {}, `${info.encoder} · ${info.width} dimensions · ${info.count.toLocaleString("en")} points${info.demo ? " · demo" : ""}`));
  navigation(info);
  if (!info.count) {
    fill(byId("main"), h("div", { class: "page" }, h("h1", {}, "An empty space"), h("p", {}, "Nothing has been indexed yet. Put files into it with ", h("code", {}, "oplas index"), " and open the studio again.")));
    return;
  }
  const studio = new Studio(info);
  const first = document.querySelector<HTMLAnchorElement>(".skip");
  first?.addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  addEventListener("hashchange", () => void open(studio));
  await open(studio);
}

void start();
