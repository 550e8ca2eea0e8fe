/** The `-d` log: its items, address filter and text, in QEMU's look (qemu(1), -d and -dfilter). */
import {
  A20_MASK, CC_DST, CC_OP, CC_SRC, CR0, CR0_PE, CR2, CR3, CR4, DR, EAX, EBP, EBX, ECX, EDI, EDX, EFLAGS, EIP, ESI, ESP, GDT_BASE, GDT_LIMIT, HALTED, HF_CPL_MASK,
  HF_INHIBIT_IRQ, HFLAGS, IDT_BASE, IDT_LIMIT, LDT_ATTR, LDT_BASE, LDT_LIMIT, LDT_SEL, SEG_ATTR, SEG_BASE, SEG_LIMIT, SEG_SEL, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL, VM,
} from './state.ts';
import { CC_OP_NAMES, readEflags } from './flags.ts';

export const LOG_ITEMS = [
  { name: 'in_asm', help: 'guest code of each block translated' },
  { name: 'op', help: 'ops of each block before the passes' },
  { name: 'op_opt', help: 'ops of each block after the passes' },
  { name: 'out_asm', help: 'JavaScript of each region compiled' },
  { name: 'int', help: 'interrupts and exceptions, with the processor state' },
  { name: 'exec', help: 'each block entered from the run loop' },
  { name: 'cpu', help: 'processor state before each block entered from the run loop' },
  { name: 'nochain', help: 'do not chain blocks, so that exec and cpu show all of them' },
] as const;
export type LogItem = (typeof LOG_ITEMS)[number]['name'];

/** Address ranges, both ends included. */
type Ranges = readonly { readonly first: number; readonly last: number }[];

/**
 * `START..END`, `START+LENGTH` or `START-LENGTH` (the bytes up to START), comma separated, numbers as in C.
 * @throws RangeError naming the part that is wrong.
 */
export function parseLogFilter(text: string): Ranges {
  return text.split(',').map((part) => {
    const match = /^(0x[0-9a-f]+|\d+)(\.\.|\+|-)(0x[0-9a-f]+|\d+)$/i.exec(part);
    if (match === null) throw new RangeError(`'${part}' is not an address range (0x1000..0x1fff, 0x1000+0x100)`);
    const start = Number(match[1]), other = Number(match[3]);
    const range = match[2] === '..' ? { first: start, last: other } : match[2] === '+' ? { first: start, last: start + other - 1 } : { first: start - other + 1, last: start };
    if (range.last < range.first) throw new RangeError(`'${part}' is an empty address range`);
    return range;
  });
}

export class Log {
  readonly items: ReadonlySet<string>;
  readonly #write: (text: string) => void;
  readonly #ranges: Ranges | null;

  constructor(items: Iterable<string>, write: (text: string) => void, ranges: Ranges | null = null) {
    this.items = new Set(items);
    this.#write = write;
    this.#ranges = ranges;
  }

  has(item: LogItem): boolean {
    return this.items.has(item);
  }

  /** False for code that -dfilter leaves out. */
  wants(address: number): boolean {
    const at = address >>> 0;
    return this.#ranges === null || this.#ranges.some(({ first, last }) => at >= first && at <= last);
  }

  write(text: string): void {
    this.#write(text);
  }
}

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

/** What a descriptor's attributes say: `[-WA]` and the like. */
function describeAttributes(attr: number): string {
  if ((attr & 0x8000) === 0) return '';
  const bit = (mask: number, letter: string): string => ((attr & mask) !== 0 ? letter : '-');
  const dpl = `DPL=${attr >> 13 & 3}`;
  if ((attr & 0x1000) === 0) return `${dpl} ${['', 'TSS16-avl', 'LDT', 'TSS16-busy', '', '', '', '', '', 'TSS32-avl', '', 'TSS32-busy'][attr >> 8 & 15] ?? ''}`.trimEnd();
  const size = (attr & 0x400000) !== 0 ? '32' : '16';
  return (attr & 0x800) !== 0
    ? `${dpl} CS${size} [${bit(0x400, 'C')}${bit(0x200, 'R')}${bit(0x100, 'A')}]`
    : `${dpl} DS${size === '32' ? '  ' : '16'} [${bit(0x400, 'E')}${bit(0x200, 'W')}${bit(0x100, 'A')}]`;
}

function segmentLine(name: string, selector: number, base: number, limit: number, attr: number, protectedMode: boolean): string {
  const described = protectedMode ? describeAttributes(attr) : '';
  // The descriptor's bits 16-19 are those of the limit, in pages or bytes.
  const limitHigh = ((attr & 0x800000) !== 0 ? limit >>> 28 : limit >>> 16 & 15) << 16;
  return `${name.padEnd(3)}=${hex(selector, 4)} ${hex(base)} ${hex(limit)} ${hex(attr & 0xf0ff00 | limitHigh)}${described === '' ? '' : ` ${described}`}`;
}

/** The processor's registers, in the layout of QEMU's `info registers`. */
export function formatState(R: Int32Array): string {
  const eflags = readEflags(R);
  const letters = [[0x400, 'D'], [0x800, 'O'], [0x80, 'S'], [0x40, 'Z'], [0x10, 'A'], [4, 'P'], [1, 'C']] as const;
  const shown = letters.map(([mask, letter]) => ((eflags & mask) !== 0 ? letter : '-')).join('');
  const protectedMode = (R[CR0]! & CR0_PE) !== 0 && (R[EFLAGS]! & VM) === 0;
  return [
    `EAX=${hex(R[EAX]!)} EBX=${hex(R[EBX]!)} ECX=${hex(R[ECX]!)} EDX=${hex(R[EDX]!)}`,
    `ESI=${hex(R[ESI]!)} EDI=${hex(R[EDI]!)} EBP=${hex(R[EBP]!)} ESP=${hex(R[ESP]!)}`,
    `EIP=${hex(R[EIP]!)} EFL=${hex(eflags)} [${shown}] CPL=${R[HFLAGS]! & HF_CPL_MASK} II=${(R[HFLAGS]! & HF_INHIBIT_IRQ) !== 0 ? 1 : 0} A20=${R[A20_MASK] === -1 ? 1 : 0} SMM=0 HLT=${R[HALTED]}`,
    ...SEGMENTS.map((name, seg) => segmentLine(name, R[SEG_SEL + seg]!, R[SEG_BASE + seg]!, R[SEG_LIMIT + seg]!, R[SEG_ATTR + seg]!, protectedMode)),
    segmentLine('LDT', R[LDT_SEL]!, R[LDT_BASE]!, R[LDT_LIMIT]!, R[LDT_ATTR]!, protectedMode),
    segmentLine('TR', R[TR_SEL]!, R[TR_BASE]!, R[TR_LIMIT]!, R[TR_ATTR]!, protectedMode),
    `GDT=     ${hex(R[GDT_BASE]!)} ${hex(R[GDT_LIMIT]!)}`,
    `IDT=     ${hex(R[IDT_BASE]!)} ${hex(R[IDT_LIMIT]!)}`,
    `CR0=${hex(R[CR0]!)} CR2=${hex(R[CR2]!)} CR3=${hex(R[CR3]!)} CR4=${hex(R[CR4]!)}`,
    `DR0=${hex(R[DR]!)} DR1=${hex(R[DR + 1]!)} DR2=${hex(R[DR + 2]!)} DR3=${hex(R[DR + 3]!)} `,
    `DR6=${hex(R[DR + 6]!)} DR7=${hex(R[DR + 7]!)}`,
    `CCS=${hex(R[CC_SRC]!)} CCD=${hex(R[CC_DST]!)} CCO=${CC_OP_NAMES[R[CC_OP]!] ?? R[CC_OP]}`,
  ].join('\n') + '\n';
}

/** The line of `-d int` before the state: n-th interrupt, vector, error code, source, where. */
export function formatInterrupt(R: Int32Array, count: number, vector: number, errorCode: number, software: boolean): string {
  const ip = `${hex(R[SEG_SEL + 1]!, 4)}:${hex(R[EIP]!)}`, sp = `${hex(R[SEG_SEL + 2]!, 4)}:${hex(R[ESP]!)}`;
  const extra = vector === 14 ? `CR2=${hex(R[CR2]!)}` : `env->regs[R_EAX]=${hex(R[EAX]!)}`;
  return `${String(count).padStart(6)}: v=${hex(vector, 2)} e=${hex(errorCode, 4)} i=${software ? 1 : 0} cpl=${R[HFLAGS]! & HF_CPL_MASK} IP=${ip} pc=${hex(R[SEG_BASE + 1]! + R[EIP]!)} SP=${sp} ${extra}\n`;
}
