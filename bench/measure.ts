/** Runs a stated program on tcg86 in this process and takes its counters. One program a process: V8 then knows one machine only. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CS, EIP, SEG_SEL } from '../src/cpu/state.ts';
import { Machine } from '../src/index.ts';
import type { PcOptions } from '../src/index.ts';
import { busyClock, ownClock } from './clocks.ts';
import type { ClockName } from './clocks.ts';
import { assembleGuest, withScratch, writeImage } from './guests.ts';
import type { GuestName } from './guests.ts';
import { MarkReader } from './marks.ts';
import { median } from './report.ts';

export interface Setup {
  /** Folder of tcg86. */
  readonly root: string;
  /** Tier 2 on. */
  readonly jit: boolean;
  readonly clock: ClockName;
}

export interface GuestSetup extends Setup {
  readonly guest: GuestName;
  readonly rounds: number;
  /** Rounds that are not measured. */
  readonly warmup: number;
  /** Times the guest's own number of iterations. */
  readonly scale: number;
}

/** What happened while a program was measured. */
export interface Sample {
  /** Time of a warm round (median), or of the whole run without waiting (s). */
  readonly seconds: number;
  /** Guest instructions retired in that time, and how many of them in compiled regions. */
  readonly retired: number;
  readonly regionRetired: number;
  /** Blocks started in that time: by the run loop, by the jump cache, by a link. Those within regions are not counted. */
  readonly entries: number;
  readonly jumpCacheHits: number;
  readonly chained: number;
  /** Since power on: blocks translated to ops and their instructions; regions compiled, their blocks and instructions, time taken (s). */
  readonly translatedBlocks: number;
  readonly translatedInsns: number;
  readonly regions: number;
  readonly regionBlocks: number;
  readonly regionInsns: number;
  readonly compileSeconds: number;
}

const TIMEOUT_SECONDS = 300;

/** Firmware by path: this file may run from a bundle elsewhere. */
function open({ root, jit }: Setup, options: PcOptions): Machine {
  const bios = join(root, 'dist/bios/bios.bin'), vgaBios = join(root, 'dist/bios/vgabios.bin');
  const tier2: PcOptions & { jit: boolean } = { jit };
  return Machine.open({ memory: '16M', snapshot: true, bios, vgaBios, timeout: TIMEOUT_SECONDS, ...tier2, ...options });
}

/** Measures the compilation of regions from the outside. */
class CompileWatch {
  regions = 0;
  blocks = 0;
  insns = 0;
  seconds = 0;

  constructor(machine: Machine) {
    const { regions } = machine.board.cpu.exec;
    const compile = regions.compile.bind(regions);
    let depth = 0;
    regions.compile = (...args) => {
      const start = performance.now();
      depth++;
      try {
        return compile(...args);
      } finally {
        if (--depth === 0) this.seconds += (performance.now() - start) / 1000;
      }
    };
    const told = regions.onCompiled;
    regions.onCompiled = (region, head) => {
      this.regions++;
      for (const block of region.blocks) {
        this.blocks++;
        this.insns += block.icount;
      }
      told?.(region, head);
    };
  }
}

interface Moment { readonly retired: number; readonly regionRetired: number; readonly entries: number; readonly jumpCacheHits: number; readonly chained: number }

/** The counters now. `retired` and what regions retired are those of the last slice's end: at most 2 ms ago. */
function moment(machine: Machine): Moment {
  const { exec } = machine.board.cpu;
  const { entries, jumpCacheHits, chained } = exec.tbCounters;
  return { retired: machine.retired, regionRetired: exec.regionRetired, entries, jumpCacheHits, chained };
}

function sampleOf(machine: Machine, watch: CompileWatch, seconds: number, from: Moment, to: Moment, parts: number): Sample {
  const { blocks, guestInsns } = machine.board.cpu.exec.tbCounters;
  const between = (key: keyof Moment): number => (to[key] - from[key]) / parts;
  return {
    seconds, retired: between('retired'), regionRetired: between('regionRetired'),
    entries: between('entries'), jumpCacheHits: between('jumpCacheHits'), chained: between('chained'),
    translatedBlocks: blocks, translatedInsns: guestInsns,
    regions: watch.regions, regionBlocks: watch.blocks, regionInsns: watch.insns, compileSeconds: watch.seconds,
  };
}

/** Where the guest stands, for messages. */
function where(machine: Machine): string {
  const hex = (slot: number): string => (machine.board.cpu.R[slot]! >>> 0).toString(16);
  return `at ${hex(SEG_SEL + CS)}:${hex(EIP)}, ${machine.retired} instructions, screen: ${machine.screen().trim().split('\n').slice(-3).join(' | ')}`;
}

/** A benchmark guest: its warm rounds, in terms of one of them. @throws Error for a wrong checksum. */
export async function measureGuest(setup: GuestSetup): Promise<Sample> {
  const guest = assembleGuest(setup.guest, join(setup.root, 'bench/guests'));
  return await withScratch(async (folder) => {
    const marks = new MarkReader(ownClock(setup.clock));
    const iterations = Math.max(1, Math.round(guest.iterations * setup.scale));
    const machine = open(setup, {
      fda: writeImage(folder, guest, iterations, setup.rounds), serials: [{ receive: null, write: (byte) => marks.byte(byte) }],
    });
    const watch = new CompileWatch(machine);
    let from: Moment | undefined, to: Moment | undefined;
    marks.onBegin = () => {
      if (marks.rounds.length === setup.warmup) from = moment(machine);
    };
    marks.onEnd = () => {
      if (marks.rounds.length === setup.rounds - 1) to = moment(machine);
    };
    try {
      await machine.expect(/^DONE /m);
    } catch (error) {
      throw new Error(`${setup.guest}: ${(error as Error).message}; ${where(machine)}; serial line: ${marks.lines.join(' | ')}`);
    } finally {
      machine.close();
    }
    const wrong = marks.rounds.find(({ correct }) => !correct);
    if (wrong !== undefined || from === undefined || to === undefined) throw new Error(`${setup.guest}: ${marks.lines.join(' | ')}`);
    const seconds = median(marks.rounds.slice(setup.warmup).map(({ milliseconds }) => milliseconds)) / 1000;
    return sampleOf(machine, watch, seconds, from, to, setup.rounds - setup.warmup);
  });
}

/** Boots Linux 0.11 to its shell and hands the machine to `work` before it is closed. */
export async function bootLinux<T>(setup: Setup, images: string, work: (machine: Machine, sample: Sample) => T | Promise<T>): Promise<T> {
  return await withScratch(async (folder) => {
    const hda = join(folder, 'hdc-0.11.img');
    writeFileSync(hda, gunzipSync(readFileSync(join(images, 'linux-0.11/hdc-0.11.img.gz'))));
    const machine = open(setup, { fda: join(images, 'linux-0.11/bootimage-0.11-hd'), hda, boot: 'a' });
    try {
      const watch = new CompileWatch(machine);
      const clock = busyClock(setup.clock), from = moment(machine), start = clock();
      await machine.expect(/^\[\/usr\/root\]# $/m);
      const seconds = (clock() - start) / 1000;
      return await work(machine, sampleOf(machine, watch, seconds, from, moment(machine), 1));
    } finally {
      machine.close();
    }
  });
}
