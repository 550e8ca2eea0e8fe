/**
 * `node build.mjs --run test/cpu/translate/native/record.ts`: records expectations on the processor of this machine (Linux on x86,
 * gcc -m32) and writes vectors.json.gz beside this file. Run it in the repository's root.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CASES, DATA, DATA_SIZE, OPERAND, STACK } from './cases.ts';
import type { Case } from './cases.ts';
import { CODE, COMPARED_FLAGS, fillData, generator } from './format.ts';
import type { NativeCase, NativeTest } from './format.ts';

const RUNS = 4;
const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, -0x80000000, -1, 0x0fffffff, 0x55aa55aa, 0x01010101, -0x8000];

/** In, out: 8 registers and flags. The runner's stub is machine code around the instruction. */
const PROGRAM = `
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
static sigjmp_buf back;
static void caught(int n) { (void)n; siglongjmp(back, 1); }
static unsigned in[9], out[9], saved;
static unsigned char *put(unsigned char *p, const void *b, int n) { memcpy(p, b, n); return p + n; }
static unsigned char *put32(unsigned char *p, const void *v) { unsigned a = (unsigned)v; return put(p, &a, 4); }
int main(void) {
  unsigned char *code = mmap((void *)${CODE - 0x1000}, 0x4000, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  unsigned char *data = mmap((void *)${DATA}, ${DATA_SIZE}, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (code == MAP_FAILED || data == MAP_FAILED) return 1;
  static char stack[65536];
  stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
  sigaltstack(&ss, 0);
  struct sigaction sa = { .sa_handler = caught, .sa_flags = SA_ONSTACK | SA_NODEFER };
  sigaction(SIGFPE, &sa, 0); sigaction(SIGSEGV, &sa, 0); sigaction(SIGILL, &sa, 0);
  int length;
  while (fread(&length, 4, 1, stdin) == 1) {
    static unsigned char before[${DATA_SIZE}];
    unsigned char bytes[256], *p = (unsigned char *)${CODE} - 64;
    fread(bytes, 1, length, stdin); fread(in, 4, 9, stdin); fread(before, 1, sizeof before, stdin);
    memcpy(data, before, sizeof before);
    /* pusha; pushf; mov [saved],esp; push [flags]; popf; mov registers; (instruction); */
    unsigned char *start = p;
    p = put(p, "\\x60\\x9c\\x89\\x25", 4); p = put32(p, &saved);
    p = put(p, "\\xff\\x35", 2); p = put32(p, in + 8); p = put(p, "\\x9d", 1);
    for (int r = 0; r < 8; r++) { unsigned char mov[2] = { 0x8b, 5 | r << 3 }; if (r == 0) { p = put(p, "\\xa1", 1); } else p = put(p, mov, 2); p = put32(p, in + r); }
    while (p < (unsigned char *)${CODE}) *p++ = 0x90;
    if (p != (unsigned char *)${CODE}) return 2;
    p = put(p, bytes, length);
    for (int r = 0; r < 8; r++) { unsigned char mov[2] = { 0x89, 5 | r << 3 }; if (r == 0) { p = put(p, "\\xa3", 1); } else p = put(p, mov, 2); p = put32(p, out + r); }
    p = put(p, "\\x8b\\x25", 2); p = put32(p, &saved); p = put(p, "\\x9c\\x8f\\x05", 3); p = put32(p, out + 8);
    p = put(p, "\\x9d\\x61\\xc3", 3);
    if (sigsetjmp(back, 1)) { printf("fault\\n"); asm volatile("cld"); continue; }
    ((void (*)(void))start)();
    asm volatile("cld");
    for (int i = 0; i < 9; i++) printf("%d ", (int)out[i]);
    for (int i = 0; i < (int)sizeof before; i++) if (before[i] != data[i]) printf("%d %d ", i, data[i]);
    printf("\\n");
  }
  return 0;
}
`;

const random = generator(20240501);

function inputs(test: Case): { registers: number[]; flags: number; seed: number } {
  const value = (): number => (random() % 3 === 0 ? INTERESTING[random() % INTERESTING.length]! : random() << 16 ^ random());
  const registers = Array.from({ length: 8 }, value);
  registers[3] = OPERAND;
  registers[4] = STACK;
  if (test.smallEcx === true) registers[1] = random() % 40 | (registers[1]! & ~0xff);
  for (const [register, fixed] of Object.entries(test.fixed)) registers[Number(register)] = fixed;
  return { registers, flags: (random() << 4 ^ random()) & COMPARED_FLAGS, seed: random() };
}

function record(): NativeCase[] {
  const folder = mkdtempSync(join(tmpdir(), 'native-'));
  writeFileSync(join(folder, 'run.c'), PROGRAM);
  execFileSync('gcc', ['-m32', '-O1', '-w', '-o', join(folder, 'run'), join(folder, 'run.c')]);
  const planned = CASES.map((test) => ({ test, runs: Array.from({ length: RUNS }, () => inputs(test)) }));
  const chunks: Buffer[] = [];
  for (const { test, runs } of planned) {
    for (const { registers, flags, seed } of runs) {
      chunks.push(Buffer.from(Int32Array.of(test.code.length).buffer), Buffer.from(test.code),
        Buffer.from(Int32Array.of(...registers, flags | 0x202).buffer), Buffer.from(fillData(seed)));
    }
  }
  const lines = execFileSync(join(folder, 'run'), { input: Buffer.concat(chunks), encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  let at = 0;
  return planned.map(({ test, runs }) => {
    const tests: NativeTest[] = [];
    for (const run of runs) {
      const line = lines[at++]!;
      // Faults belong to the tests of exceptions.
      if (line === 'fault') continue;
      const numbers = line.trim().split(' ').map(Number);
      const registersOut = run.registers.flatMap((before, n) => (numbers[n] === before ? [] : [n, numbers[n]!]));
      tests.push({ ...run, registersOut, flagsOut: numbers[8]! & COMPARED_FLAGS, memoryOut: numbers.slice(9) });
    }
    return { name: test.name, code: Buffer.from(test.code).toString('hex'), undefinedFlags: test.undefinedFlags, tests };
  });
}

const recorded = record().filter(({ tests }) => tests.length > 0);
writeFileSync('test/cpu/translate/native/vectors.json.gz', gzipSync(JSON.stringify(recorded), { level: 9 }));
console.log(`${recorded.length} cases, ${recorded.reduce((sum, { tests }) => sum + tests.length, 0)} tests`);
