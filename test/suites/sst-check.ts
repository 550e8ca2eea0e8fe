/**
 * Compares a machine with the final state of a recorded test. Which flags are defined comes from the suite's metadata.json
 * (80286) or from the MOO file's masks (80386).
 */

import type { MooFile, MooTest, RegisterName, RegisterValues } from './moo.ts';

/** What the check wants to know of the machine. Values are unsigned. */
export interface MachineView {
  register(name: RegisterName): number;
  byte(address: number): number;
}

/** metadata.json of a suite, as far as it is used. */
export interface SuiteMetadata {
  readonly cpu: string;
  readonly opcodes: { readonly [opcode: string]: OpcodeMetadata | undefined };
}

interface OpcodeMetadata {
  readonly 'flags-mask'?: number;
  readonly reg?: { readonly [group: string]: OpcodeMetadata | undefined };
}

/** Size prefixes in the names of 80386 forms, as in 6701, 676601 and 660FBA.4. */
const SIZE_PREFIXES = /^(?:67)?(?:66)?(?=[0-9A-F]{2})/;

/** Which bits of the flags a form defines, by its file name without endings (`F7.4`, `0FBA.4`). */
export function definedFlags(metadata: SuiteMetadata, form: string): number {
  const [opcode, group] = form.split('.');
  const entry = metadata.opcodes[opcode] ?? metadata.opcodes[opcode.replace(SIZE_PREFIXES, '')];
  const detail = group === undefined ? entry : entry?.reg?.[group];
  return detail?.['flags-mask'] ?? 0xFFFF;
}

/** The bits that FLAGS has: the top four do not exist in real mode on a 286. */
const FLAGS_286 = 0x0FD5, FLAGS_386 = 0x7FD5;
/** CR0 bits that a 386 has: PG, ET, TS, EM, MP, PE. */
const CR0_BITS = 0x8000001F;

/** The bits of a register that can be compared at all. */
function comparableBits(name: RegisterName): number {
  switch (name) {
    case 'flags': return FLAGS_286;
    case 'eflags': return FLAGS_386;
    case 'cr0': return CR0_BITS;
    case 'eip': case 'eax': case 'ebx': case 'ecx': case 'edx': case 'esi': case 'edi': case 'ebp': case 'esp': case 'cr3': return 0xFFFFFFFF;
    // What the debug registers hold beyond their defined bits differs from model to model.
    case 'dr6': case 'dr7': return 0;
    default: return 0xFFFF;
  }
}

const hex = (value: number, digits = 4): string => (value >>> 0).toString(16).padStart(digits, '0');

/**
 * Where an exception pushed the flags, or -1. A word at an odd address takes two bus cycles, and the file then has the even address
 * before it.
 */
export function pushedFlagsAddress({ exception, initial: { registers } }: MooTest): number {
  if (exception === undefined) return -1;
  return exception.flagsAddress | (registers.sp ?? registers.esp ?? 0) & 1;
}

/** What differs from the recorded result, one line per register or byte; empty if nothing does. */
export function compare(machine: MachineView, test: MooTest, flagsMask: number, fileMasks: RegisterValues): string[] {
  const differences: string[] = [];
  const expected = { ...test.initial.registers, ...test.final.registers };
  for (const [key, value] of Object.entries(expected)) {
    const name = key as RegisterName;
    const defined = test.final.masks[name] ?? fileMasks[name] ?? 0xFFFFFFFF;
    const mask = comparableBits(name) & defined & (name === 'flags' || name === 'eflags' ? flagsMask : 0xFFFFFFFF);
    const got = machine.register(name);
    if (((got ^ value) & mask) !== 0) differences.push(`${name} is ${hex(got)}, not ${hex(value)}${mask === -1 ? '' : ` (mask ${hex(mask)})`}`);
  }
  const flagsAt = pushedFlagsAddress(test);
  for (const [address, value] of new Map([...test.initial.ram, ...test.final.ram])) {
    // An exception pushes the flags, the undefined ones too.
    const mask = address === flagsAt ? flagsMask & 0xFF : address === flagsAt + 1 ? flagsMask >> 8 & 0xFF : 0xFF;
    const got = machine.byte(address);
    if (((got ^ value) & mask) !== 0) differences.push(`[${hex(address, 6)}] is ${hex(got, 2)}, not ${hex(value, 2)}`);
  }
  return differences;
}

/** The file's and the metadata's masks together: how a form's flags are compared. */
export const flagsMaskOf = (metadata: SuiteMetadata | undefined, form: string, file: MooFile): number =>
  (metadata === undefined ? 0xFFFF : definedFlags(metadata, form)) & (file.masks.flags ?? file.masks.eflags ?? 0xFFFF);
