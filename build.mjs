// Build: esbuild bundles the command line and the library, tsc writes the types, our assembler builds the firmware.
//   node build.mjs                     build everything into dist/
//   node build.mjs --if-stale          build if dist/ is missing or older than the sources
//   node build.mjs --start [args]      build if dist/ is missing or older than the sources, then run dist/tcg86.js with args
//   node build.mjs --run FILE [args]   bundle a TypeScript file and run it (test suites, benchmarks)
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const common = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning', absWorkingDir: root };

/**
 * Bundles. esbuild makes a `var` of each module's `const`, and V8 takes only a `const` for a constant when it optimizes: our own become `const`
 * again. (Under src no module has a `let` at its top, and no import is circular: test/architecture.test.ts.)
 */
async function bundle(options) {
  await esbuild.build({ ...common, ...options });
  let ours = false;
  const lines = readFileSync(options.outfile, 'utf8').split('\n').map((line) => {
    if (line.startsWith('// ')) ours = line.startsWith('// src/');
    return ours ? line.replace(/^var (\S+ = )/, 'const $1') : line;
  });
  writeFileSync(options.outfile, lines.join('\n'));
}

async function build() {
  const dist = join(root, 'dist');
  mkdirSync(dist, { recursive: true });
  const { buildImages } = await load('bios/build-images.ts');
  buildImages(join(dist, 'bios'));
  await bundle({ entryPoints: ['src/index.ts'], outfile: join(dist, 'index.js'), sourcemap: true });
  // The command line is built last: its time stamp says that the build is complete.
  const types = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  if (types.status !== 0) process.exit(types.status ?? 1);
  for (const [name, entry] of [['tcg86-img', 'src/cli/img/main.ts'], ['tcg86', 'src/cli/main.ts']]) {
    await bundle({ entryPoints: [entry], outfile: join(dist, `${name}.js`), sourcemap: true, banner: { js: '#!/usr/bin/env node' } });
    chmodSync(join(dist, `${name}.js`), 0o755);
  }
}

/** Bundles a TypeScript file into a scratch folder and imports it. */
async function load(file) {
  const folder = mkdtempSync(join(tmpdir(), 'tcg86-build-'));
  try {
    const outfile = join(folder, 'bundle.mjs');
    await bundle({ entryPoints: [resolve(root, file)], outfile, sourcemap: 'inline',
      define: { 'import.meta.dirname': JSON.stringify(dirname(resolve(root, file))) } });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The newest change under the folders that the build reads. */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isStale() {
  const built = join(root, 'dist/tcg86.js');
  if (!existsSync(built)) return true;
  return Math.max(...['src', 'bios', 'build.mjs', 'package.json', 'tsconfig.json'].map((name) => newest(join(root, name)))) > statSync(built).mtimeMs;
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === undefined) await build();
else if (mode === '--if-stale') {
  if (isStale()) await build();
} else if (mode === '--start') {
  if (isStale()) await build();
  process.argv.splice(1, process.argv.length, join(root, 'dist/tcg86.js'), ...rest);
  await import(pathToFileURL(join(root, 'dist/tcg86.js')).href);
} else if (mode === '--run' && rest.length > 0) {
  process.argv.splice(1, process.argv.length, resolve(root, rest[0]), ...rest.slice(1));
  await load(rest[0]);
} else {
  console.error('usage: node build.mjs [--start ARGS... | --run FILE ARGS...]');
  process.exitCode = 2;
}
