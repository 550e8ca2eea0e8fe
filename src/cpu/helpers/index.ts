/**
 * All helpers that ops may call, with the effects that the passes rely on.
 *
 *   globals  'none', 'read': reads registers or flags, 'write': may also change them
 *   pure     the result depends on the arguments only
 *   faults   may throw: then nothing of the instruction has happened (see context.ts)
 */
import type { Helper } from '../../tcg/env.ts';
import { createFpuHelpers } from '../fpu/helpers.ts';
import { createSimdHelpers } from '../simd/helpers.ts';
import type { CpuContext } from './context.ts';
import { clts, invlpg, lmsw, mov_from_cr, mov_from_dr, mov_to_cr, mov_to_dr, wbinvd } from './control-registers.ts';
import { cpuid } from './cpuid.ts';
import { code_breakpoint, debug_trap } from './debug.ts';
import { aaa, aad, aam, aas, daa, das } from './decimal.ts';
import { divb, divl, divw, idivb, idivl, idivw } from './divide.ts';
import { carryShortcut } from '../flags.ts';
import { cc_compute_all, cc_compute_c, cli, popf, read_eflags, set_ac, sti } from './eflags.ts';
import { far_call, far_jmp, far_ret } from './far-transfer.ts';
import { int1, int3, int_of, raise, raise_err, soft_int } from './interrupt.ts';
import { portIn, portOut } from './io.ts';
import { iret } from './iret.ts';
import { load_seg } from './segment.ts';
import { lar, lsl, verr, verw } from './selector-checks.ts';
import { rdmsr, rdpmc, rdtsc, rdtscp, wrmsr } from './msr.ts';
import { bound, enter, pusha } from './stack-frame.ts';
import { string } from './string.ts';
import { cmpxchg8b, hlt, popcount, random } from './system.ts';
import { sysenter, sysexit } from './sysenter.ts';
import { pushf_v86 } from './vme.ts';
import { check_umip, lgdt, lidt, lldt, ltr, sgdt, sidt } from './table-registers.ts';

export interface HelperTable {
  /** By the name that the translator uses. */
  readonly byName: Readonly<Record<string, Helper>>;
  readonly list: readonly Helper[];
}

type Globals = Helper['globals'];
type Body = (cpu: CpuContext, ...args: number[]) => number | void;

/** A row: the helper's name and body, its arguments behind cpu, and its effects. */
interface Row {
  readonly name: string;
  readonly body: Body;
  readonly args: number;
  readonly returns: boolean;
  readonly globals: Globals;
  readonly faults: boolean;
}

const row = (name: string, body: Body, args: number, returns: boolean, globals: Globals, faults: boolean): Row =>
  ({ name, body, args, returns, globals, faults });
const FAULTS = true, QUIET = false, RETURNS = true, NOTHING = false;

const ROWS: readonly Row[] = [
  // EFLAGS
  row('read_eflags', read_eflags, 0, RETURNS, 'read', QUIET),
  row('pushf_v86', pushf_v86, 1, RETURNS, 'read', FAULTS),
  row('popf', popf, 2, NOTHING, 'write', FAULTS),
  row('cli', cli, 0, NOTHING, 'none', FAULTS),
  row('sti', sti, 0, NOTHING, 'none', FAULTS),
  // Arithmetic
  row('aaa', aaa, 0, NOTHING, 'write', QUIET),
  row('aas', aas, 0, NOTHING, 'write', QUIET),
  row('daa', daa, 0, NOTHING, 'write', QUIET),
  row('das', das, 0, NOTHING, 'write', QUIET),
  row('aam', aam, 1, NOTHING, 'write', FAULTS),
  row('aad', aad, 1, NOTHING, 'write', QUIET),
  row('divb', divb, 1, NOTHING, 'write', FAULTS),
  row('idivb', idivb, 1, NOTHING, 'write', FAULTS),
  row('divw', divw, 1, NOTHING, 'write', FAULTS),
  row('idivw', idivw, 1, NOTHING, 'write', FAULTS),
  row('divl', divl, 1, NOTHING, 'write', FAULTS),
  row('idivl', idivl, 1, NOTHING, 'write', FAULTS),
  // Stack frames, strings, ports
  row('bound', bound, 3, NOTHING, 'none', FAULTS),
  row('enter', enter, 3, NOTHING, 'write', FAULTS),
  row('pusha', pusha, 1, NOTHING, 'write', FAULTS),
  row('string', string, 5, RETURNS, 'write', FAULTS),
  // A port may answer in registers (src/devices/vm-port.ts).
  row('in', portIn, 2, RETURNS, 'write', FAULTS),
  row('out', portOut, 3, NOTHING, 'write', FAULTS),
  // Segments and transfers of control
  row('load_seg', load_seg, 2, NOTHING, 'write', FAULTS),
  row('far_jmp', far_jmp, 4, NOTHING, 'write', FAULTS),
  row('far_call', far_call, 4, NOTHING, 'write', FAULTS),
  row('far_ret', far_ret, 2, NOTHING, 'write', FAULTS),
  row('iret', iret, 2, NOTHING, 'write', FAULTS),
  row('soft_int', soft_int, 2, NOTHING, 'write', FAULTS),
  row('int_of', int_of, 1, NOTHING, 'write', FAULTS),
  row('int3', int3, 1, NOTHING, 'write', FAULTS),
  row('int1', int1, 1, NOTHING, 'write', FAULTS),
  row('raise', raise, 1, NOTHING, 'read', FAULTS),
  row('raise_err', raise_err, 2, NOTHING, 'read', FAULTS),
  // Throws, but only after its instruction: that one is complete.
  row('debug_trap', debug_trap, 1, NOTHING, 'write', QUIET),
  row('code_breakpoint', code_breakpoint, 2, NOTHING, 'none', FAULTS),
  // System
  row('lldt', lldt, 1, NOTHING, 'none', FAULTS),
  row('ltr', ltr, 1, NOTHING, 'none', FAULTS),
  row('lgdt', lgdt, 3, NOTHING, 'none', FAULTS),
  row('lidt', lidt, 3, NOTHING, 'none', FAULTS),
  row('sgdt', sgdt, 1, NOTHING, 'none', FAULTS),
  row('sidt', sidt, 1, NOTHING, 'none', FAULTS),
  row('lar', lar, 3, RETURNS, 'write', FAULTS),
  row('lsl', lsl, 3, RETURNS, 'write', FAULTS),
  row('verr', verr, 1, NOTHING, 'write', FAULTS),
  row('verw', verw, 1, NOTHING, 'write', FAULTS),
  row('mov_from_cr', mov_from_cr, 1, RETURNS, 'none', FAULTS),
  row('mov_to_cr', mov_to_cr, 2, NOTHING, 'none', FAULTS),
  row('mov_from_dr', mov_from_dr, 1, RETURNS, 'none', FAULTS),
  row('mov_to_dr', mov_to_dr, 2, NOTHING, 'none', FAULTS),
  row('lmsw', lmsw, 1, NOTHING, 'none', FAULTS),
  row('clts', clts, 0, NOTHING, 'none', FAULTS),
  row('invlpg', invlpg, 1, NOTHING, 'none', FAULTS),
  row('wbinvd', wbinvd, 0, NOTHING, 'none', FAULTS),
  row('hlt', hlt, 1, NOTHING, 'write', FAULTS),
  row('cpuid', cpuid, 0, NOTHING, 'write', QUIET),
  row('rdtsc', rdtsc, 0, NOTHING, 'write', FAULTS),
  row('rdtscp', rdtscp, 0, NOTHING, 'write', FAULTS),
  row('check_umip', check_umip, 0, NOTHING, 'none', FAULTS),
  row('rdmsr', rdmsr, 0, NOTHING, 'write', FAULTS),
  row('wrmsr', wrmsr, 0, NOTHING, 'write', FAULTS),
  row('rdpmc', rdpmc, 0, NOTHING, 'write', FAULTS),
  row('sysenter', sysenter, 0, NOTHING, 'write', FAULTS),
  row('sysexit', sysexit, 0, NOTHING, 'write', FAULTS),
  row('set_ac', set_ac, 1, NOTHING, 'none', FAULTS),
  row('cmpxchg8b', cmpxchg8b, 1, NOTHING, 'write', FAULTS),
  row('random', random, 0, RETURNS, 'none', QUIET),
];

/** Binds a body to its processor, with just its arguments: a rest parameter would cost an array for each call. */
function bind(cpu: CpuContext, body: Body, args: number): Helper['fn'] {
  switch (args) {
    case 0: return () => body(cpu);
    case 1: return (a) => body(cpu, a!);
    case 2: return (a, b) => body(cpu, a!, b!);
    case 3: return (a, b, c) => body(cpu, a!, b!, c!);
    case 4: return (a, b, c, d) => body(cpu, a!, b!, c!, d!);
    default: return (a, b, c, d, e) => body(cpu, a!, b!, c!, d!, e!);
  }
}

/** The helpers of one processor. */
export function createHelpers(cpu: CpuContext): HelperTable {
  const list: Helper[] = [
    { name: 'cc_compute_all', args: 4, returns: true, globals: 'none', pure: true, mayFault: false, fn: cc_compute_all },
    { name: 'cc_compute_c', args: 4, returns: true, globals: 'none', pure: true, mayFault: false, shortcut: carryShortcut, fn: cc_compute_c },
    { name: 'popcount', args: 1, returns: true, globals: 'none', pure: true, mayFault: false, fn: popcount },
    ...ROWS.map(({ name, body, args, returns, globals, faults }): Helper =>
      ({ name, args, returns, globals, pure: false, mayFault: faults, fn: bind(cpu, body, args) })),
    ...createFpuHelpers(cpu),
    ...createSimdHelpers(cpu),
  ];
  return { list, byName: Object.fromEntries(list.map((helper) => [helper.name, helper])) };
}
