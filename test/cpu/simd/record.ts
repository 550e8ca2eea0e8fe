/** Records recorded.bin.gz on this processor, which must have SSE3: `node build.mjs --run test/cpu/simd/record.ts` (needs gcc -m32). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { INPUT_WORDS, OPERATIONS, RESULT_WORDS, makeInputs } from './cases.ts';
import type { Operation } from './cases.ts';

const immediate = ({ imm }: Operation): string => (imm < 0 ? '' : `$${imm}, `);

function instruction(operation: Operation): string {
  const name = operation.mnemonic.toLowerCase();
  switch (operation.kind) {
    case 'mmx': return `movq %1, %%mm0; movq %2, %%mm1; ${name} ${immediate(operation)}${operation.counted ? '' : '%%mm1, '}%%mm0; movq %%mm0, %0; emms`;
    case 'float': case 'xmm': return `${name} ${immediate(operation)}${operation.counted ? '' : '%%xmm1, '}%%xmm0; movdqu %%xmm0, %0`;
    case 'flags': return `${name} %%xmm1, %%xmm0; pushf; popl %%eax`;
    case 'from-integer': return `movd %%xmm1, %%eax; ${name}l %%eax, %%xmm0; movdqu %%xmm0, %0`;
    default: return `${name} %%xmm1, %%eax`;
  }
}

const body = (operation: Operation, index: number): string => `static void f${index}(void) {
  uint32_t mxcsr = in[9], eax = 0;
  __asm__ volatile("ldmxcsr %4; movdqu %1, %%xmm0; movdqu %2, %%xmm1; ${instruction(operation)}; movl %%eax, %3; stmxcsr %4"
    : "+m"(*(char (*)[16])out), "+m"(*(char (*)[16])(in + 1)), "+m"(*(char (*)[16])(in + 5)), "=m"(eax), "+m"(mxcsr) : : "eax", "xmm0", "xmm1", "memory");
  out[4] = eax; out[5] = mxcsr;
}`;

const program = `#include <stdint.h>
#include <stdio.h>
#include <string.h>
static uint32_t in[${INPUT_WORDS}], out[${RESULT_WORDS}];
${OPERATIONS.map(body).join('\n')}
static void (*const functions[])(void) = { ${OPERATIONS.map((_, index) => `f${index}`).join(', ')} };
int main(void) {
  while (fread(in, 4, ${INPUT_WORDS}, stdin) == ${INPUT_WORDS}) { memset(out, 0, sizeof out); functions[in[0]](); fwrite(out, 4, ${RESULT_WORDS}, stdout); }
  return 0;
}
`;

const folder = mkdtempSync(join(tmpdir(), 'tcg86-simd-'));
try {
  writeFileSync(join(folder, 'record.c'), program);
  execFileSync('gcc', ['-m32', '-msse3', '-O1', '-w', '-o', join(folder, 'record'), join(folder, 'record.c')]);
  const results = execFileSync(join(folder, 'record'), { input: Buffer.from(makeInputs().buffer), maxBuffer: 1 << 26 });
  writeFileSync(join(import.meta.dirname, 'recorded.bin.gz'), gzipSync(results, { level: 9 }));
  console.log(`${results.length / 4 / RESULT_WORDS} cases of ${OPERATIONS.length} operations`);
} finally {
  rmSync(folder, { recursive: true });
}
