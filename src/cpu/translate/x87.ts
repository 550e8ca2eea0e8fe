/** x87 instructions (SDM vol. 1, 5.2): one helper call each; operand address, #NM and undefined forms are settled here. */
import { memoryInstruction, operandSize } from '../fpu/memory.ts';
import { packOpcode } from '../fpu/helpers.ts';
import { controlInstruction, registerInstruction } from '../fpu/registers.ts';
import { EAX, EXC_NM, EXC_UD, HF_EM, HF_MP, HF_TS } from '../state.ts';
import { raise } from './block-end.ts';
import type { Context } from './context.ts';
import { forAll } from './emitter.ts';
import type { Family } from './emitter.ts';
import { operandAddress, operandOffset } from './operands.ts';

/** FNSTSW AX. */
const FNSTSW_OPCODE = 7, FNSTSW_MODRM = 0xe0;

function escape(ctx: Context): void {
  const { insn } = ctx;
  if ((ctx.key.flags & (HF_EM | HF_TS)) !== 0) {
    raise(ctx, EXC_NM);
    return;
  }
  const opcode = insn.row.opcode & 7, wide = insn.opSize === 4;
  const packed = ctx.const(packOpcode(opcode, insn.modrm, wide, insn.seg));
  if (insn.mod !== 3) {
    const instruction = memoryInstruction(opcode, insn.reg);
    if (instruction === null) raise(ctx, EXC_UD);
    else ctx.call('x87_memory', packed, operandAddress(ctx, operandSize(instruction, wide), instruction.write), operandOffset(ctx), ctx.const(insn.eip));
  } else if (opcode === FNSTSW_OPCODE && insn.modrm === FNSTSW_MODRM) {
    ctx.setRegister(2, EAX, ctx.callFor('fnstsw'));
  } else if (registerInstruction(opcode, insn.modrm) === null && controlInstruction(opcode, insn.modrm) === null) {
    raise(ctx, EXC_UD);
  } else {
    ctx.call('x87_register', packed, ctx.const(insn.eip));
  }
}

/** WAIT: reports a pending exception; #NM only if the task switch flag is to be monitored. */
function wait(ctx: Context): void {
  if ((ctx.key.flags & (HF_MP | HF_TS)) === (HF_MP | HF_TS)) raise(ctx, EXC_NM);
  else ctx.call('fwait');
}

export const x87: Family = { WAIT: wait, ...forAll([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `ESC${n}`), escape) };
