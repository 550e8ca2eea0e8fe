/** suite:kvm: what programs say, and a program of our own that uses the test device. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Machine } from '../../src/index.ts';
import { readResult } from './kvm-result.ts';

it('counts results', () => {
  const output = 'enabling apic\nPASS: one\nFAIL: two\nSKIP: three\nXFAIL: four\nSUMMARY: 4 tests, 1 unexpected failures\n';
  expect(readResult(output, 3, 'exit')).toEqual({ passed: 2, failures: ['FAIL: two'], skipped: 1, end: 'exit 1', ok: false });
  expect(readResult('PASS: a\n', 1, 'exit')).toMatchObject({ passed: 1, end: 'exit 0', ok: true });
  expect(readResult('', 77, 'exit')).toMatchObject({ end: 'skipped', ok: true });
  expect(readResult('PASS: a\n', null, 'timeout')).toMatchObject({ end: 'timeout', ok: false });
});

it('the test device keeps bytes, has memory, and exits', async () => {
  const source = `
    bits 32
    org 0x100000
h:  dd 0x1BADB002, 0x10000, -(0x1BADB002 + 0x10000), h, h, 0, 0, start
start:
    mov eax, 0x11223344
    out 0xE0, eax
    in al, 0xE9
    mov edi, 0xFF000000
    stosb
    mov ah, [edi - 1]
    in al, 0xE2
    shr eax, 1
    out 0xF4, eax
    hlt
    times 8192 - ($ - $$) db 0`;
  const folder = mkdtempSync(join(tmpdir(), 'tcg86-kvm-')), kernel = join(folder, 'kernel');
  try {
    writeFileSync(kernel, assemble(source, { file: 'kernel.asm' }).bytes);
    const machine = Machine.open({ memory: '16M', kernel, testDevice: true, timeout: 30, debugExit: { iobase: 0xf4, iosize: 4 } });
    const { reason, code } = await machine.run() as { reason: string; code: number };
    machine.close();
    expect([reason, code]).toEqual(['exit', (0x3322 >> 1 << 1 | 1) & 0xff]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
