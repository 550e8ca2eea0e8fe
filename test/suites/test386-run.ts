/**
 * Runs a test386.asm ROM on the whole machine and listens to its ports: POST codes, and text on any of the ways out that it can be
 * configured for (its src/configuration.asm): a plain port, COM1 or COM2, an LPT port (a byte counts when its strobe rises).
 */

import { Cpu } from '../../src/cpu/cpu.ts';
import { CS, EFLAGS, EIP, HALTED, IF, SEG_SEL } from '../../src/cpu/state.ts';
import { Pc } from '../../src/devices/pc.ts';

export interface RomOptions {
  readonly outPort: number;
  readonly postPort: number;
  readonly jit?: boolean;
  readonly jitThreshold?: number;
}

export interface RomResult {
  readonly posts: readonly number[];
  readonly text: string;
  /** How it ended, and where. */
  readonly stopped: string;
  readonly retired: number;
}

const hex = (value: number): string => value.toString(16).padStart(4, '0');
const LPT_PORTS = [0x3bc, 0x378, 0x278];
const LPT_CONTROL = 2, LPT_STROBE = 1;
const SLICE = 1_000_000;
/** The larger ROM takes some 40 million. */
const MOST = 2_000_000_000;

export function runRom(bios: Uint8Array, { outPort, postPort, jit = true, jitThreshold }: RomOptions): RomResult {
  const posts: number[] = [], text: string[] = [];
  const put = (byte: number): void => { text.push(String.fromCharCode(byte)); };
  const line = { receive: null, write: put };
  let retired = 0;
  const pc = new Pc<Cpu>(
    { memory: 4 << 20, bios, time: () => retired, rtcBase: 0, serials: [line, line] },
    (socket) => new Cpu({ ...socket, jit, ...(jitThreshold === undefined ? {} : { jitThreshold }) }),
  );
  const lptData = new Map<number, number>(), strobes = new Map<number, number>();
  pc.io.trace = (write, port, _size, value) => {
    if (!write) return;
    if (port === postPort) posts.push(value & 0xff);
    if (port === outPort) put(value & 0xff);
    for (const base of LPT_PORTS) {
      if (port === base) lptData.set(base, value & 0xff);
      if (port !== base + LPT_CONTROL) continue;
      if ((value & ~(strobes.get(base) ?? 0) & LPT_STROBE) !== 0) put(lptData.get(base) ?? 0);
      strobes.set(base, value);
    }
  };
  pc.reset();
  const { cpu } = pc;
  for (; retired < MOST; ) {
    pc.clock.runTimers();
    retired += cpu.run(SLICE);
    if (cpu.R[HALTED] !== 0 && (cpu.R[EFLAGS]! & IF) === 0) break;
  }
  // The serial ports send what they hold.
  for (let i = 0; i < 100; i++) {
    retired += SLICE;
    pc.clock.runTimers();
  }
  return { posts, text: text.join(''), stopped: cpu.R[HALTED] !== 0 ? `halted at ${hex(cpu.R[SEG_SEL + CS]!)}:${hex(cpu.R[EIP]!)}` : 'did not halt', retired: cpu.retired };
}
