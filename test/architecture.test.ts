/** The dependency rule of ARCHITECTURE.md: who may import whom, no cycles, node: only at the edges, no file nobody can hold in mind. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

interface Import { readonly from: string; readonly to: string; readonly typeOnly: boolean }

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm)].map(([, type, to]) => ({
    from: file, to: to!.startsWith('.') ? relative(root, join(root, dirname(file), to!)) : to!, typeOnly: type !== undefined,
  }));
}

const files = sources('src');
const imports = files.flatMap(importsOf);
const room = (path: string): string => path.split('/')[1]!;

/** What each room may import at run time, besides itself. */
const ALLOWED: Record<string, readonly string[]> = {
  tcg: [], memory: [], gdb: [], cpu: ['tcg', 'memory'], devices: ['memory'], machine: ['devices', 'cpu', 'memory', 'tcg'], backends: [],
  library: ['machine', 'devices', 'backends', 'cpu', 'tcg', 'memory'],
  cli: ['tcg', 'cpu', 'devices', 'memory', 'machine', 'backends', 'index.ts'], 'index.ts': ['library', 'machine', 'devices', 'backends', 'cpu', 'tcg', 'memory'],
};

describe('architecture', () => {
  it('imports only what the rooms may', () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      if (!to.startsWith('src/') || room(from) === room(to)) return false;
      if (from === 'src/devices/pc.ts' && room(to) === 'cpu') return false;
      if ((room(from) === 'backends' || to === 'src/index.ts') && typeOnly) return false;
      return !ALLOWED[room(from)]!.includes(room(to));
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('has node: imports in backends and cli only, and no packages', () => {
    const outside = imports.filter(({ to }) => !to.startsWith('src/'));
    expect(outside.filter(({ to }) => !to.startsWith('node:')).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
    expect(outside.filter(({ from }) => !['backends', 'cli', 'index.ts'].includes(room(from))).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('has no import cycles', () => {
    const graph = new Map(files.map((file) => [file, importsOf(file).filter(({ to, typeOnly }) => to.startsWith('src/') && !typeOnly).map(({ to }) => to)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('has nothing global that changes', () => {
    // Bundled, each `var` of our modules becomes a `const`: build.mjs.
    const changing = files.filter((file) => /^(?:export )?(?:let|var) /m.test(readFileSync(join(root, file), 'utf8')));
    expect(changing).toEqual([]);
  });

  it('has no file over 600 lines', () => {
    const long = [...files, ...sources('bios'), ...sources('test')].filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 600);
    expect(long).toEqual([]);
  });

  it('has no runtime dependency, and no other dev dependency than those agreed', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies?: object; devDependencies: object };
    expect(manifest.dependencies).toBeUndefined();
    const extra = Object.keys(manifest.devDependencies).filter((name) => !['vitest', 'esbuild', 'benchmark', 'typescript'].includes(name) && !name.startsWith('@types/'));
    expect(extra).toEqual([]);
  });
});
