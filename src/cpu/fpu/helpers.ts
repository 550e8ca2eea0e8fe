/** The x87 helpers that translated code calls. One call an instruction; #NM is the translator's, from the block's key. */
import type { Helper } from '../../tcg/env.ts';
import { CR0, CR0_NE, CR0_PE, EFLAGS, EXC_MF, SEG_SEL, CS, VM } from '../state.ts';
import { createFastHelpers } from './fast.ts';
import { memoryInstruction } from './memory.ts';
import type { DataAccess } from './memory.ts';
import { controlInstruction } from './registers.ts';
import { FPU_FCS, FPU_FDP, FPU_FDS, FPU_FIP, FPU_FOP } from './state.ts';
import { FpuUnit } from './unit.ts';

/** What the helpers need of the processor. */
export interface FpuContext extends DataAccess {
  raise(vector: number, errorCode?: number): never;
  /** FERR#: an unmasked exception waits while CR0.NE is clear. The board turns it into IRQ 13. */
  fpuError(): void;
}

/** What helpers are told of an instruction: opcode bits 8-10, ModRM bits 0-7, bit 11 = 32-bit operand size, segment in bits 12-14. */
export const packOpcode = (opcode: number, modrm: number, wide: boolean, seg: number): number => opcode << 8 | modrm | (wide ? 1 << 11 : 0) | seg << 12;

export function createFpuHelpers(cpu: FpuContext): Helper[] {
  const unit = new FpuUnit(cpu.R);
  const { R } = cpu;

  /** An unmasked exception of an earlier instruction is reported now (SDM vol. 1, 8.7). */
  function wait(): void {
    if (!unit.hasPending) return;
    if ((R[CR0]! & CR0_NE) !== 0) cpu.raise(EXC_MF);
    cpu.fpuError();
  }

  function remember(packed: number, eip: number): void {
    R[FPU_FIP] = eip;
    R[FPU_FCS] = R[SEG_SEL + CS]!;
    R[FPU_FOP] = packed & 0x7ff;
  }

  /** Memory forms: packed opcode, linear address, the operand's offset, EIP. */
  function x87Memory(packed: number, linear: number, offset: number, eip: number): void {
    const instruction = memoryInstruction(packed >> 8 & 7, packed >> 3 & 7)!;
    const format = { wide: (packed & 1 << 11) !== 0, protectedMode: (R[CR0]! & CR0_PE) !== 0 && (R[EFLAGS]! & VM) === 0 };
    if (instruction.waits) wait();
    const before = unit.status;
    try {
      instruction.run(unit, cpu, linear, format);
    } catch (fault) {
      // A fault on the operand: the instruction has not begun.
      unit.status = before;
      throw fault;
    }
    if (instruction.control) return;
    remember(packed, eip);
    R[FPU_FDP] = offset;
    R[FPU_FDS] = R[SEG_SEL + (packed >> 12 & 7)]!;
  }

  /** FNINIT, FNCLEX and the like: packed opcode. */
  const x87Control = (packed: number): void => controlInstruction(packed >> 8 & 7, packed & 0xff)!(unit, R);

  const helper = (name: string, args: number, fn: Helper['fn'], returns = false): Helper =>
    ({ name, args, returns, globals: 'read', pure: false, mayFault: true, fn });
  return [
    helper('x87_memory', 4, x87Memory), helper('fwait', 0, wait), helper('x87_control', 1, x87Control), ...createFastHelpers(R, unit),
  ];
}

