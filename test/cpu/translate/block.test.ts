/** Where blocks end and how: pages, counts, faults of the code itself, one-instruction blocks, links. */
import { describe, expect, it } from 'vitest';
import {
  CC_OP, CS, DR, DS, EAX, EBX, ECX, EFLAGS, EIP, ESP, HF_INHIBIT_IRQ, HF_ONE_INSN, HF_RF, HFLAGS, IF, RF, SEG_BASE, SEG_SEL, SS, TF,
} from '../../../src/cpu/state.ts';
import { MAX_BLOCK_INSNS } from '../../../src/cpu/translate/translate.ts';
import { FAULT } from '../helpers/fake-cpu.ts';
import { protectedCpu, realCpu } from './machine.ts';

const NOP = 0x90, HLT = 0xf4;

describe('block', () => {
  it('ends at the largest number of instructions, and links on', () => {
    const cpu = protectedCpu().code(...new Array<number>(200).fill(NOP));
    expect(cpu.translate()).toMatchObject({ icount: MAX_BLOCK_INSNS, length: MAX_BLOCK_INSNS });
    expect(cpu.translate(cpu.key(), 3)).toMatchObject({ icount: 3, length: 3 });
    expect(cpu.ops()).toContain('goto_tb $0x0\n mov_i32 eip,$0x5080\n exit_tb $0x0');
  });

  it('ends with its page, and does not link to the next', () => {
    const cpu = protectedCpu();
    cpu.R[EIP] = 0x5ffd;
    cpu.code(NOP, NOP, NOP, NOP);
    expect(cpu.translate()).toMatchObject({ icount: 3, length: 3 });
    expect(cpu.ops()).toMatch(/mov_i32 eip,\$0x6000\n lookup_and_goto_ptr$/);
  });

  it('reaches into the next page with its last instruction only', () => {
    const cpu = protectedCpu();
    cpu.R[EIP] = 0x5ffd;
    cpu.code(NOP, 0xb8, 1, 2, 3, 4, NOP);
    expect(cpu.translate()).toMatchObject({ icount: 2, length: 6 });
  });

  it('ends before an instruction whose bytes cannot be read, which faults as the first one', () => {
    const cpu = protectedCpu();
    cpu.R[EIP] = 0x5ffd;
    cpu.code(NOP, 0xb8, 1, 2, 3, 4, NOP);
    cpu.absent.add(6);
    expect(cpu.translate()).toMatchObject({ icount: 1, length: 1 });
    cpu.R[EIP] = 0x5ffe;
    expect(() => cpu.translate()).toThrow(FAULT as unknown as Error);
  });

  it('ends before what does not decode, which raises when it is reached', () => {
    const cpu = protectedCpu().code(NOP, 0x0f, 0x04);
    expect(cpu.translate()).toMatchObject({ icount: 1, length: 1 });
    expect(cpu.run()).toBe('6');
    expect(cpu.R[EIP]).toBe(0x5001);
    // More than 15 bytes.
    expect(protectedCpu().code(...new Array<number>(15).fill(0x26), NOP).run()).toBe('d:0');
    // LOCK where it is not allowed.
    expect(protectedCpu().code(0xf0, NOP).run()).toBe('6');
  });

  it('checks the limit of CS for every byte of code', () => {
    const cpu = realCpu();
    cpu.R[EIP] = 0xfffe;
    cpu.code(NOP, NOP, NOP);
    expect(cpu.run()).toBe('d:0');
    expect(cpu.R[EIP]).toBe(0x10000);
    cpu.R[EIP] = 0xfffe;
    cpu.code(0xb8, 1, 2);
    expect(cpu.run()).toBe('d:0');
    expect(cpu.R[EIP]).toBe(0xfffe);
  });

  it('tells insn_start what it knows of cc_op', () => {
    const cpu = protectedCpu().code(NOP, 0x01, 0xd8, NOP, 0x19, 0xd8, NOP, HLT);
    expect(cpu.ops().split('\n').filter((line) => line.startsWith(' ----')).map((line) => Number(`0x${line.split(' ').at(-1)}`))).toEqual([0, 0, 7, 7, 16, 16]);
  });

  it('leaves cc_op in the state', () => {
    const cpu = protectedCpu().code(0x01, 0xd8, 0x72, 0x00, HLT);
    expect(cpu.run()).toBe('hlt');
    expect(cpu.R[CC_OP]).toBe(7);
  });

  it('of one instruction looks at events behind it', () => {
    const cpu = protectedCpu().code(NOP, NOP);
    expect(cpu.translate(cpu.key(HF_ONE_INSN))).toMatchObject({ icount: 1, length: 1 });
    cpu.translate(cpu.key(HF_ONE_INSN));
    expect(cpu.step()).toBe('running');
    expect(cpu.R[EIP]).toBe(0x5001);
  });

  it('links a conditional jump both ways within the page', () => {
    const ops = protectedCpu().code(0x74, 0x10).ops();
    expect(ops).toMatch(/goto_tb \$0x0\n mov_i32 eip,\$0x5002\n exit_tb \$0x0\n set_label \$L0\n goto_tb \$0x1\n mov_i32 eip,\$0x5012\n exit_tb \$0x1$/);
    expect(protectedCpu().code(0x0f, 0x84, 0, 0x10, 0, 0).ops()).toMatch(/mov_i32 eip,\$0x6006\n lookup_and_goto_ptr$/);
  });
});

describe('single step', () => {
  it('raises #DB behind each instruction, with DR6.BS', () => {
    const cpu = protectedCpu().code(0x40, 0x40, HLT);
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | TF;
    cpu.updateHflags();
    expect(cpu.run()).toBe('1');
    expect([cpu.R[EIP], cpu.R[EAX], cpu.R[DR + 6]! & 0x4000]).toEqual([0x5001, 1, 0x4000]);
    expect(cpu.run()).toBe('1');
    expect([cpu.R[EIP], cpu.R[EAX]]).toEqual([0x5002, 2]);
  });

  it('follows jumps', () => {
    const cpu = protectedCpu().code(0xeb, 0x10);
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | TF;
    cpu.updateHflags();
    expect(cpu.run()).toBe('1');
    expect(cpu.R[EIP]).toBe(0x5012);
    cpu.R[EAX] = 0x7000;
    cpu.code(0xff, 0xe0);
    expect(cpu.run()).toBe('1');
    expect(cpu.R[EIP]).toBe(0x7000);
  });

  it('starts behind the instruction that follows POPF', () => {
    const cpu = realCpu().code(0x68, 0x02, 0x01, 0x9d, 0x40, 0x40, HLT);
    expect(cpu.run()).toBe('1');
    expect([cpu.R[EIP], cpu.R[EAX]]).toEqual([0x105, 1]);
  });

  it('skips the instruction behind MOV SS', () => {
    const cpu = realCpu().code(0x8e, 0xd0, 0x43, 0x43, HLT);
    cpu.R[EAX] = 0x400;
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | TF;
    cpu.updateHflags();
    expect(cpu.run()).toBe('1');
    expect([cpu.R[EIP], cpu.R[EBX]]).toEqual([0x103, 1]);
  });
});

describe('interrupt shadow', () => {
  it('lasts for one instruction behind MOV SS, and the first of several counts', () => {
    const cpu = realCpu().code(0x8e, 0xd0, 0x8e, 0xd0, 0x8e, 0xd0, HLT);
    cpu.R[EAX] = 0x1234;
    const shadow = (): number => { cpu.run(1); return cpu.R[HFLAGS]! & HF_INHIBIT_IRQ; };
    expect([shadow(), shadow(), shadow()]).toEqual([HF_INHIBIT_IRQ, 0, HF_INHIBIT_IRQ]);
    expect([cpu.R[SEG_SEL + SS], cpu.R[SEG_BASE + SS]]).toEqual([0x1234, 0x12340]);
  });

  it('is STI\'s only if interrupts were disabled', () => {
    const cpu = realCpu().code(0xfb, NOP, 0xfb, NOP);
    const flags = (): number[] => { cpu.run(1); return [cpu.R[EFLAGS]! & IF, cpu.R[HFLAGS]! & HF_INHIBIT_IRQ]; };
    expect(flags()).toEqual([IF, HF_INHIBIT_IRQ]);
    expect(flags()).toEqual([IF, 0]);
    expect(cpu.R[EIP]).toBe(0x102);
    expect(flags()).toEqual([IF, 0]);
  });

  it('ends with a jump, too', () => {
    const cpu = realCpu().code(0x8e, 0xd0, 0xe2, 0x10);
    cpu.R[ECX] = 2;
    cpu.run(1);
    cpu.run(1);
    expect([cpu.R[EIP], cpu.R[HFLAGS]! & HF_INHIBIT_IRQ]).toEqual([0x114, 0]);
  });
});

describe('RF', () => {
  it('is cleared by the next instruction', () => {
    const cpu = protectedCpu().code(NOP, NOP);
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | RF;
    cpu.updateHflags();
    expect(cpu.R[HFLAGS]! & HF_RF).toBe(HF_RF);
    cpu.run(1);
    expect([cpu.R[EIP], cpu.R[EFLAGS]! & RF, cpu.R[HFLAGS]! & HF_RF]).toEqual([0x5001, 0, 0]);
  });
});

describe('loading a data segment', () => {
  it('goes on in the block if nothing was assumed of it, but looks up the successor', () => {
    const cpu = realCpu().code(0x8e, 0xd8, 0x8b, 0x07, 0xeb, 0x00, HLT);
    cpu.R[EAX] = 0x234;
    cpu.bytes[0x2340] = 0x77;
    expect(cpu.translate().icount).toBe(3);
    expect(cpu.ops()).not.toContain('goto_tb');
    expect(cpu.run()).toBe('hlt');
    expect([cpu.R[EAX]! & 0xff, cpu.R[SEG_BASE + DS]]).toEqual([0x77, 0x2340]);
  });

  it('ends the block if the key says something of the segment', () => {
    expect(protectedCpu().code(0x8e, 0xd8, NOP).translate().icount).toBe(1);
    expect(protectedCpu({ limit: 0xfffff }).code(0x8e, 0xd8, NOP, HLT).translate().icount).toBe(1);
    const tiny = protectedCpu({ limit: 0xfffff }).code(0x8e, 0xd8, NOP, HLT);
    tiny.setSegment(DS, 0x18, 0, 2, 0x9300);
    tiny.updateHflags();
    expect(tiny.translate().icount).toBe(3);
    expect(protectedCpu({ limit: 0xfffff }).code(0x8e, 0xd0, NOP, HLT).translate().icount).toBe(1);
  });
});

it('reads its code through CS', () => {
  const cpu = realCpu();
  cpu.setSegment(CS, 0x777, 0x7770, 0xffff, 0x9b00);
  cpu.code(0xb8, 0x34, 0x12, HLT);
  expect(cpu.run()).toBe('hlt');
  expect(cpu.R[EAX]).toBe(0x1234);
  expect(cpu.R[ESP]).toBe(0x8000);
});
