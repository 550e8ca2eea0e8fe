/** Processor models: what -cpu takes, and what the model changes. */
import { describe, expect, it } from 'vitest';
import { parseCpuModel } from '../../src/cpu/models.ts';
import { Msrs } from '../../src/cpu/msrs.ts';
import { STATE_SIZE, TEMPS } from '../../src/cpu/state.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { TestCpu } from './translate/machine.ts';
import { createHelpers } from '../../src/cpu/helpers/index.ts';
import { DECODE_UD } from '../../src/cpu/decode/insn.ts';
import { EXC_UD } from '../../src/cpu/state.ts';
import { Translator, createBuilder } from '../../src/cpu/translate/translate.ts';
import { printBlock } from '../../src/tcg/text.ts';

describe('-cpu', () => {
  it('names models, and features to add and to leave out', () => {
    const { features } = parseCpuModel('486,+cx8,-vme,tsc=on,fpu=off');
    expect(['cx8', 'vme', 'tsc', 'fpu', 'pse', 'cmov'].map((name) => features.has(name))).toEqual([true, false, true, false, true, false]);
    expect(parseCpuModel('pentium').features.words[0]! & 0x1bf).toBe(0x1bd | 2);
    expect(parseCpuModel('max').features.words[2]! & 0x100080).toBe(0x100080);
  });
  it.each([
    ['80386', /^unable to find CPU model '80386' \(486, pentium, pentium3, qemu32, max\)$/], ['486,+avx', /^no CPU feature 'avx'/],
    ['486,cx8', /^CPU feature 'cx8': expected \+NAME/], ['486,', /^CPU feature ''/], ['486,+cx8=on', /^CPU feature/], ['constructor', /^unable to find/],
  ])('refuses %s', (text, message) => {
    expect(() => parseCpuModel(text)).toThrow(message);
  });

  it('decides which rows there are', () => {
    const opsOf = (model: string, ...bytes: number[]): string => {
      const cpu = new TestCpu().code(...bytes), helpers = createHelpers(cpu);
      const translator = new Translator(createBuilder(helpers.list), helpers.byName, parseCpuModel(model).features);
      translator.translate(cpu.key(), (linear) => cpu.load8(linear), 1);
      return printBlock(translator.builder);
    };
    const undefinedInsn = new RegExp(`call raise.*\\$0x${EXC_UD}`);
    for (const [bytes, without, having] of [
      [[0x0f, 0x44, 0xc1], 'pentium', 'pentium3'], [[0x0f, 0x31], '486', 'pentium'], [[0x0f, 0x1f, 0xc0], 'pentium', 'qemu32'],
      [[0xf3, 0x0f, 0xb8, 0xc1], 'qemu32', 'max'], [[0x0f, 0x32], '486', 'pentium'], [[0x0f, 0xc7, 0x0f], '486', '486,+cx8'],
      [[0x0f, 0xae, 0x3f], 'pentium3', 'pentium3,+clflush'],
    ] as const) {
      expect(opsOf(without, ...bytes), `${bytes} on ${without}`).toMatch(undefinedInsn);
      expect(opsOf(having, ...bytes), `${bytes} on ${having}`).not.toMatch(undefinedInsn);
    }
    expect(DECODE_UD).toBe(EXC_UD);
    expect(ROWS.some(({ feature }) => feature === 'cmov')).toBe(true);
  });
});

describe('model-specific registers', () => {
  it('hold the bits that they have', () => {
    const R = new Int32Array(STATE_SIZE), msrs = new Msrs(parseCpuModel('pentium3').features, R);
    expect([msrs.low(0xfe), msrs.low(0x277), msrs.low(0x179)]).toEqual([0x508, 0x00070406, 5]);
    expect([msrs.set(0x200, 0xfffff006 | 0, 15), msrs.set(0x200, 0x100, 0), msrs.set(0x200, 6, 16), msrs.set(0xfe, 0x508, 0)]).toEqual([true, false, false, false]);
    expect([msrs.low(0x200), msrs.high(0x200)]).toEqual([0xfffff006 | 0, 15]);
    expect([msrs.set(0x277, 0x02000000, 0), msrs.set(0x277, 0x07040601, 0x01010101)]).toEqual([false, true]);
    // Machine check banks: all or nothing is enabled, the status can only be cleared.
    expect([msrs.set(0x400, -1, -1), msrs.set(0x404, 0, 0), msrs.set(0x408, -1, 0), msrs.set(0x401, 0, 0), msrs.set(0x401, 1, 0)]).toEqual([true, true, false, true, false]);
    // They are in the processor's state, all of it before the temporaries.
    const kept = R.slice(0, TEMPS);
    msrs.reset();
    R.set(kept);
    expect(msrs.low(0x200)).toBe(0xfffff006 | 0);
    expect(msrs.set(0x79, 0x1234, 0)).toBe(true);
    expect([msrs.has(0x123), msrs.set(0x123, 0, 0)]).toEqual([false, false]);
    msrs.reset();
    expect(msrs.low(0x200)).toBe(0);
    expect(new Msrs(parseCpuModel('486').features, R).has(0xfe)).toBe(false);
  });
});
