/** What README.md, ARCHITECTURE.md and CONTRIBUTING.md name is there, and the lists in them are whole. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../src/cli/options.ts';
import { Machine } from '../src/index.ts';
import { EXIT_NAMES } from '../src/tcg/env.ts';
import { PASSES } from '../src/tcg/passes/pipeline.ts';

const root = join(import.meta.dirname, '..');
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'] as const;
const text = Object.fromEntries(DOCUMENTS.map((name) => [name, readFileSync(join(root, name), 'utf8')])) as Record<(typeof DOCUMENTS)[number], string>;
const readme = text['README.md'], architecture = text['ARCHITECTURE.md'];
const everything = DOCUMENTS.map((name) => text[name]).join('\n');

const FOLDERS = ['.ci', 'bench', 'bios', 'docs', 'src', 'test'];
/** Names of all files of the project. */
const fileNames = new Set(FOLDERS.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })).map((name) => basename(name)));
const inCode = (document: string): string[] => [...document.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);

/** Rows of the table under a heading cell: the words in backticks of a column. */
function column(document: string, heading: string, number: number): string[] {
  const lines = document.split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  if (start < 0) throw new Error(`no table '${heading}'`);
  const found: string[] = [];
  for (let at = start + 2; lines[at]?.startsWith('|') === true; at++) found.push(...inCode(lines[at]!.split(/(?<!\\)\|/)[number]!));
  return found;
}

/** The commands `tcg86 …` of a document's code blocks, continued lines joined, without output and comments. */
function commands(document: string): string[] {
  return [...document.replaceAll(/\\\n\s*/g, ' ').matchAll(/^ {4}(?:\$ )?(tcg86 .*)$/gm)].map((match) => match[1]!.replace(/ +# .*$/, '')).filter((line) => !/^tcg86 BIOS/.test(line));
}

describe('documents', () => {
  it.each(DOCUMENTS)('%s: files and folders exist', (name) => {
    const paths = inCode(text[name]).flatMap((code) => code.split(/[\s,=]+/)).filter((word) => /^(\.ci|bench|bios|dist|docs|src|test)(\/[\w.-]+)*\/?$/.test(word));
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const links = [...text[name].matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!).filter((link) => !link.startsWith('https:'));
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
    const alone = inCode(text[name]).filter((word) => /^[\w-]+\.(ts|asm|inc)$/.test(word));
    expect(alone.filter((word) => !fileNames.has(word))).toEqual([]);
  });

  it('name scripts that package.json has, and all of those', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = new Set([...everything.matchAll(/npm (?:run (?:-s )?)?(start|test|[a-z]+:[a-z0-9]+|(?<=run )[a-z]+)/g)].map((match) => match[1]!));
    expect([...named].filter((script) => !(script in scripts))).toEqual([]);
    // npm runs prepack by itself.
    expect(Object.keys(scripts).filter((script) => script !== 'prepack' && !named.has(script)), 'scripts without a word in README.md or CONTRIBUTING.md').toEqual([]);
  });

  it('docs/guests.md: each guest has a test that is there', () => {
    const guests = readFileSync(join(root, 'docs/guests.md'), 'utf8').split('## Tried by hand')[0]!.split('\n').filter((line) => line.startsWith('| ')).slice(1).map((line) => line.split(/(?<!\\)\|/));
    expect(guests.length).toBeGreaterThan(5);
    for (const cells of guests) {
      const tests = inCode(cells[4]!);
      expect(tests, cells[1]).not.toEqual([]);
      expect(tests.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    }
  });

  it('have pictures of a size that a clone can bear', () => {
    for (const name of readdirSync(join(root, 'docs'))) expect(statSync(join(root, 'docs', name)).size, name).toBeLessThan(60 * 1024);
  });
});

describe('README.md', () => {
  it('lists the options that there are', () => {
    const listed = column(readme, 'about', 2);
    const names = (words: readonly string[]): string[] => words.map((word) => word.replace(/^--?/, '')).sort();
    expect(names(listed)).toEqual(names(OPTIONS.map(({ names: [name] }) => name!)));
  });

  it('uses no other options', () => {
    const known = new Set(OPTIONS.flatMap(({ names }) => names));
    expect(commands(readme).length).toBeGreaterThan(5);
    const used = commands(readme).flatMap((command) => command.replaceAll(/'[^']*'/g, "''").split(/\s+/)).filter((word) => /^--?[a-zA-Z]/.test(word));
    expect(used.filter((word) => !known.has(word.replace(/^--?/, '')))).toEqual([]);
  });

  it('lists the steps with two dashes, in the order of the help', () => {
    expect(column(readme, 'step', 1).map((code) => code.split(' ')[0])).toEqual(['--expect', '--type', '--key', '--mouse', '--point', '--wait', '--change', '--screen', '--screenshot']);
  });

  it('has a library example that runs', () => {
    const [, example] = /^```js\n([^]*?)^```$/m.exec(readme)!;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', example!], { cwd: root, encoding: 'utf8', timeout: 50_000 });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^tcg86 .*demo[^]*^tcg86> lspci$[^]*VGA adapter\n[^]*^tcg86>$/m);
  });

  it('names methods that the library has', () => {
    const [section] = /^### As a library$[^]*?(?=^###)/m.exec(readme)!;
    const methods = inCode(section!).flatMap((code) => /^(\w+)\(.*\)$/.exec(code)?.[1] ?? []);
    expect(methods.length).toBeGreaterThan(8);
    for (const method of methods) expect(Machine.prototype, method).toHaveProperty(method);
  });
});

describe('ARCHITECTURE.md', () => {
  it('lists the rooms', () => {
    const rooms = readdirSync(join(root, 'src')).map((name) => `src/${name}`);
    expect(column(architecture, 'folder', 1).sort()).toEqual(rooms.sort());
  });

  it('lists the passes in order, and the exits', () => {
    expect(column(architecture, 'pass', 1)).toEqual(PASSES.map(({ name }) => name));
    expect(column(architecture, 'exit', 1)).toEqual(EXIT_NAMES.filter((name: string) => name !== ''));
  });
});
