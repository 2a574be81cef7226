// Builds the assets into ../static/dist: one script, one stylesheet, the icon
// sprite, and manifest.json, which names the hashed files. Run by
// `npm run build`; Go embeds the folder.
import { build, context } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, basename } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "../static/dist");
const watch = process.argv.includes("--watch");

const options = {
  entryPoints: { main: join(here, "main.ts") },
  bundle: true,
  minify: !watch,
  format: "esm",
  splitting: true,
  chunkNames: "[name]-[hash]",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  outdir: dist,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  metafile: true,
  write: false,
  legalComments: "linked",
  logLevel: "info",
};

async function empty(dir) {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) {
    if (name !== ".gitkeep") await rm(join(dir, name), { recursive: true });
  }
}

// The inner markup of an icon as a <symbol>; strokes come from the stylesheet.
async function symbol(name) {
  const file = join(here, "../../../node_modules/lucide-static/icons", `${name}.svg`);
  const svg = await readFile(file, "utf8");
  const inner = svg.replace(/<!--[\s\S]*?-->/g, "").match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
  return `<symbol id="i-${name}" viewBox="0 0 24 24">${inner.replace(/\s*\n\s*/g, "")}</symbol>`;
}

async function sprite(names) {
  const symbols = await Promise.all(names.map(symbol));
  return `<svg class="sprite" aria-hidden="true" width="0" height="0">${symbols.join("")}</svg>`;
}

async function put(path, contents) {
  await writeFile(path, contents);
  if (contents.length < 512) return;
  await writeFile(`${path}.gz`, gzipSync(contents, { level: 9 }));
  await writeFile(`${path}.br`, brotliCompressSync(contents, {
    params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
  }));
}

async function emit(result) {
  const files = {};
  await empty(dist);
  for (const out of result.outputFiles) {
    const name = basename(out.path);
    await put(join(dist, name), out.contents);
    if (/\.(js|css)$/.test(name)) files[name.replace(/-[A-Z0-9]{8}(?=\.)/, "")] = name;
  }
  const icons = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  await writeFile(join(dist, "icons.svg"), await sprite(icons));
  const favicon = await readFile(join(here, "mark.svg"));
  const hash = createHash("sha256").update(favicon).digest("hex").slice(0, 8).toUpperCase();
  files["mark.svg"] = `mark-${hash}.svg`;
  await put(join(dist, files["mark.svg"]), favicon);
  await writeFile(join(dist, "manifest.json"), JSON.stringify({ files, icons }, null, 2) + "\n");
}

if (watch) {
  const ctx = await context({
    ...options,
    plugins: [{ name: "emit", setup: (b) => b.onEnd((r) => (r.errors.length ? undefined : emit(r))) }],
  });
  await ctx.watch();
} else {
  await emit(await build(options));
}
