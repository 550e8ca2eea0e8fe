/**
 * What an instruction family exports: emitters by the row's mnemonic, or by mnemonic and operands (`MOV Sw,Ew`) where
 * one mnemonic means different things.
 */
import type { Context } from './context.ts';

/** Emits the ops of ctx.insn. */
export type Emit = (ctx: Context) => void;

export interface Emitter {
  readonly emit: Emit;
  /** A helper of it reads or writes flags in the state: cc_op is written there before the instruction starts. */
  readonly syncFlags: boolean;
}

export type Family = Readonly<Record<string, Emit | Emitter>>;

/** Marks an emitter whose helper reads or writes flags in the state. */
export const withFlags = (emit: Emit): Emitter => ({ emit, syncFlags: true });

/** The same emitter under several keys. */
export function forAll(keys: readonly string[], emitter: Emit | Emitter): Family {
  return Object.fromEntries(keys.map((key) => [key, emitter]));
}
