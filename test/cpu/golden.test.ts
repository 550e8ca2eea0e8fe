/**
 * Code quality as golden files: for each snippet of guest code the number of ops and the JavaScript that it becomes.
 * TCG86_UPDATE=1 writes the files of test/cpu/golden anew; the diff is what a change does to the code.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Region } from '../../src/cpu/regions.ts';
import { protectedGuest, realGuest } from './guest/guest.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const UPDATE = process.env['TCG86_UPDATE'] === '1';

interface Snippet {
  readonly name: string;
  readonly source: string;
  readonly make?: typeof realGuest;
  /** It calls helpers: for repetitions, divisions, or flags whose operation is not known. */
  readonly calls?: true;
  /** Its loop goes over a computed jump, which leaves the region. */
  readonly leaves?: true;
}

/** Guest code is a loop, so that it becomes hot. */
const loop = (body: string, setup = ''): string => `${setup}\nmov ecx,5000\nl: ${body}\ndec ecx\njnz l\nhlt`;
const SNIPPETS: readonly Snippet[] = [
  { name: 'load-store', source: loop('mov eax,[esi+ecx*4]\nadd eax,ecx\nmov [edi+ecx*4],eax', 'mov esi,0x20000\nmov edi,0x30000') },
  { name: 'bytes-words', source: loop('movzx eax,byte [esi+ecx]\nmovsx edx,word [esi+ecx*2]\nadd al,ah\nmov [edi+ecx],al\nmov [edi+ecx*2],dx', 'mov esi,0x20000\nmov edi,0x30000') },
  { name: 'memory-rmw', source: loop('add [esi+ecx*4],eax\ninc dword [edi]\nxor byte [edi+4],3', 'mov esi,0x20000\nmov edi,0x30000') },
  { name: 'flags', source: loop('add eax,ebx\nadc edx,0\ncmp eax,edx\nja m\nsub ebx,edx\nm: setl al\nsar ebx,1\nrcr edx,1'), calls: true },
  { name: 'nested-loops', source: 'mov ecx,200\no: mov edx,50\ni: add eax,edx\ndec edx\njnz i\nloop o\nhlt' },
  { name: 'call-return', source: 'mov ecx,5000\nl: push ecx\ncall f\npop ecx\ndec ecx\njnz l\nhlt\nf: add eax,[esp+4]\nret', calls: true },
  { name: 'stack-frame', source: 'mov ecx,5000\nl: push ebp\nmov ebp,esp\nsub esp,8\nmov [ebp-4],ecx\nadd eax,[ebp-4]\nleave\ndec ecx\njnz l\nhlt' },
  { name: 'multiply-divide', source: loop('mov eax,ecx\nmul ebx\nimul eax,edx\nimul esi,ecx,100\nxor edx,edx\ndiv ecx', 'mov ebx,12345'), calls: true },
  { name: 'shifts', source: loop('shl eax,3\nrol edx,cl\nshr ebx,cl\nshld eax,edx,5\nbt eax,7\nadc esi,0', 'mov eax,1\nmov edx,2'), calls: true },
  { name: 'string-rep', source: loop('mov edx,ecx\nmov ecx,16\nmov esi,0x20000\nmov edi,0x30000\nrep movsd\nmov ecx,edx'), calls: true },
  { name: 'string-single', source: loop('lodsb\nstosb\nscasb\ncmpsb', 'mov esi,0x20000\nmov edi,0x30000\ncld') },
  { name: 'segment-limit', source: loop('mov eax,[esi+ecx*4]\nmov [esi+ecx*4+4],eax', 'mov eax,0x30\nmov ds,ax\nmov esi,0x8000'), calls: true },
  { name: 'real-mode', source: 'mov cx,5000\nl: mov ax,[si+bx]\nadd ax,cx\nmov [di],ax\nadd di,2\nand di,0xfff\nor di,0x4000\nloop l\nhlt', make: realGuest },
  { name: 'jump-table', source: 'mov ecx,5000\nl: mov eax,ecx\nand eax,3\njmp [t+eax*4]\na: inc ebx\njmp n\nb: dec edx\njmp n\nc: xor ebx,edx\nn: dec ecx\njnz l\nhlt\nt: dd a,b,c,a', leaves: true },
];

/** What the snippet's last region became. */
function text({ source, make = protectedGuest }: Snippet): string {
  const guest = make(source, { jitThreshold: 2000 });
  let last: Region | null = null;
  const { exec } = guest.cpu;
  exec.regions.onCompiled = (region) => { last ??= region; };
  guest.run(4_000_000);
  if (last === null) throw new Error('nothing was compiled');
  const { blocks, source: script } = last as Region;
  const { opsIn, opsOut, guestInsns } = exec.tbCounters;
  const insns = [...blocks].reduce((sum, { icount }) => sum + icount, 0);
  return `${source.trim()}\n\n; translated: ${guestInsns} instructions, ${opsIn} ops, ${opsOut} after the passes\n; region: ${blocks.size} blocks, ${insns} instructions\n\n${script}\n`;
}

/** Calls in lines that are no test for a miss, a trap or the budget. */
const calls = (script: string): string[] => script.split('\n').filter((line) => !/^if \(/.test(line)).join('\n').match(/\b(f\d+|loadSlow|storeSlow)\(/g) ?? [];

describe('golden files', () => {
  it.each(SNIPPETS.map((snippet) => [snippet.name, snippet] as const))('%s', (name, snippet) => {
    const path = join(FOLDER, `${name}.txt`), got = text(snippet);
    if (UPDATE) writeFileSync(path, got);
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '', `${path}: TCG86_UPDATE=1 writes it anew`).toBe(got);
  });

  it('are those of the snippets', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(SNIPPETS.map(({ name }) => `${name}.txt`).sort());
  });

  it('have a loop where the guest has one, registers in locals, and no call on the fast path', () => {
    for (const snippet of SNIPPETS) {
      const got = text(snippet);
      if (snippet.leaves !== true) expect(got, snippet.name).toMatch(/\b(for \(;;\)|while \(true\)) ?\{/);
      expect(got, snippet.name).toMatch(/let (e[a-ds]\w|\w+) = R\[\d+\]/);
      if (snippet.calls !== true) expect(calls(got), snippet.name).toEqual([]);
    }
  });
});
