// The page, built: `node build.mjs [FOLDER]`, by default where the Python package ships it. The same sources give the same bytes.
import { build } from "esbuild";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../src/oplas/studio/static"));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts", style: "src/style.css" },
  outdir: out,
  bundle: true,
  splitting: true, // three comes when the first map is drawn, so that the page paints before it
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "none",
  chunkNames: "[name]-[hash]",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg", "LICENSES.txt"]) cpSync(join(here, "public", name), join(out, name));
