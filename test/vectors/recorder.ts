/** Runs code on the processor of this machine: builds recorder.c with gcc -m32 and feeds it. Linux on x86-64 only. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { USED_IMAGE_WORDS, floatsOfImage, imageOf } from './float-state.ts';
import type { Patch } from './format.ts';
import type { Area } from './layout.ts';

export interface RecorderArea extends Area {
  readonly bytes: Uint8Array;
}

export interface RecorderInput {
  /** EAX ECX EDX EBX ESP EBP ESI EDI EFLAGS EIP. */
  readonly registers: Int32Array;
  /** By address from `first` on: where to go on after an exception there, or 0. */
  readonly first: number;
  readonly next: Int32Array;
  /** The code among them. */
  readonly memory: readonly Patch[];
  /** x87, MMX and SSE (float-state.ts), if they are of interest. */
  readonly floats?: Int32Array | undefined;
}

/** The state at an exception. */
export interface Stop {
  readonly exception: number;
  readonly errorCode: number;
  /** 0 but for page faults. */
  readonly cr2: number;
  readonly registers: Int32Array;
  /** ES CS SS DS FS GS. */
  readonly segments: Int32Array;
  readonly floats?: Int32Array;
}

export interface Recording {
  readonly stops: readonly Stop[];
  /** What has changed. */
  readonly memory: readonly Patch[];
}

/** Exceptions that one recording holds; and what the recorder makes of a system call. */
export const MAX_STOPS = 64, SYSTEM_CALL = 128;
/** `import.meta.dirname` may be any folder beside this one: see build.mjs. */
const SOURCE = join(import.meta.dirname, '../vectors/recorder.c');
const PAGE_FAULT = 14, REGISTERS = 10, SEGMENTS = 6;
const OPTIONS: readonly string[] = ['-m32', '-no-pie', '-fno-pic', '-fno-stack-protector', '-O1'];

const dwords = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
const bytesOf = (words: Int32Array): Buffer => Buffer.from(words.buffer, words.byteOffset, words.byteLength);
const patchBytes = (patches: readonly Patch[]): Buffer[] => [dwords(patches.length), ...patches.flatMap(({ address, bytes }) => [dwords(address, bytes.length), Buffer.from(bytes)])];

export class Recorder {
  private readonly folder: string;
  private readonly areas: readonly RecorderArea[];

  /** @throws Error with a line that says why code cannot be recorded here */
  constructor(areas: readonly RecorderArea[]) {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('only Linux on an x86-64 processor runs 32-bit code');
    this.areas = areas;
    this.folder = mkdtempSync(join(tmpdir(), 'tcg86-recorder-'));
    const compiler = spawnSync('gcc', [...OPTIONS, SOURCE, '-o', join(this.folder, 'recorder')], { encoding: 'utf8' });
    if (compiler.error === undefined && compiler.status === 0) return;
    this.close();
    throw new Error(compiler.error !== undefined ? `gcc does not run (${compiler.error.message})` : `gcc -m32 failed (is gcc-multilib installed?)\n${compiler.stderr}`);
  }

  /** @throws Error with what the recorder says */
  record(inputs: readonly RecorderInput[]): Recording[] {
    const [program, input, output] = ['recorder', 'input', 'output'].map((name) => join(this.folder, name)) as [string, string, string];
    const areas = this.areas.flatMap(({ base, size, writable, bytes }) => [dwords(base, size, writable ? 1 : 0), Buffer.from(bytes)]);
    const vectors = inputs.flatMap(({ registers, first, next, memory, floats }) =>
      [bytesOf(registers), dwords(first, next.length), bytesOf(next), ...patchBytes(memory), dwords(floats === undefined ? 0 : 1), ...(floats === undefined ? [] : [bytesOf(imageOf(floats))])]);
    writeFileSync(input, Buffer.concat([dwords(this.areas.length), ...areas, dwords(inputs.length), ...vectors]));
    const run = spawnSync(program, [input, output], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`the recorder ended with ${run.signal ?? `code ${run.status}`}\n${run.stderr}`);
    return [...recordings(readFileSync(output), inputs)];
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function* recordings(bytes: Buffer, inputs: readonly RecorderInput[]): Generator<Recording> {
  let position = 0;
  const dword = (): number => bytes.readInt32LE((position += 4) - 4);
  const several = (length: number): Int32Array => Int32Array.from({ length }, dword);
  for (const { floats } of inputs) {
    let stops = Array.from({ length: dword() }, (): Stop => {
      const exception = dword(), errorCode = dword(), cr2 = dword();
      return { exception, errorCode, cr2: exception === PAGE_FAULT ? cr2 : 0, registers: several(REGISTERS), segments: several(SEGMENTS) };
    });
    if (floats !== undefined) stops = stops.map((stop) => ({ ...stop, floats: floatsOfImage(several(USED_IMAGE_WORDS)) }));
    const memory = Array.from({ length: dword() }, (): Patch => {
      const address = dword(), length = dword();
      return { address, bytes: bytes.subarray(position, (position += length)) };
    });
    yield { stops, memory };
  }
}
