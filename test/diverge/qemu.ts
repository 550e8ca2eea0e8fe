/** The other side: QEMU under its gdb stub on a socket of a scratch folder, stopped at its first instruction, with its memory in a file. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GdbClient, GdbError } from '../../src/gdb/client.ts';
import type { Stream } from '../../src/gdb/client.ts';

/** Where a file is memory, if that is there. */
const SHARED_MEMORY = '/dev/shm';
const START_SECONDS = 20;
const FIRST_POLL = 5, POLL = 20;

export interface QemuOptions {
  readonly program: string;
  /** Bytes of guest memory. */
  readonly memory: number;
  readonly args: readonly string[];
}

/** What a program says that could not be started. */
export class QemuError extends Error {}

export class Qemu {
  readonly gdb: GdbClient;
  /** Its memory. */
  readonly file: number;
  readonly #close: () => Promise<void>;
  #closed: Promise<void> | null = null;

  /** For what is not started here: start(). */
  constructor(gdb: GdbClient, file: number, close: () => Promise<void>) {
    this.gdb = gdb;
    this.file = file;
    this.#close = close;
  }

  /** @throws QemuError with one line if it is not installed or does not start */
  static async start({ program, memory, args }: QemuOptions): Promise<Qemu> {
    const folder = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'tcg86-diverge-'));
    const socket = join(folder, 'gdb'), ram = join(folder, 'ram');
    const qemu = spawn(program, [
      ...args, '-object', `memory-backend-file,id=ram,size=${memory},mem-path=${ram},share=on`, '-machine', 'pc,memory-backend=ram,smm=off,hpet=off,accel=tcg',
      '-S', '-gdb', `unix:${socket},server=on,wait=off`,
    ], { stdio: ['ignore', 'inherit', 'pipe'] });
    let said = '';
    qemu.stderr.on('data', (chunk: Buffer) => { said += chunk.toString(); });
    const ended = new Promise<string>((resolve) => {
      qemu.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? `${program} is not installed (Debian: package qemu-system-x86); --qemu names another` : `${program}: ${error.message}`));
      qemu.on('close', (code) => resolve(said.trim().split('\n').at(-1) || `${program} ended with code ${code ?? 'none'}`));
    });
    let over: string | null = null;
    void ended.then((reason) => { over = reason; });
    const kill = (): void => { qemu.kill('SIGKILL'); };
    process.once('exit', kill);
    const close = async (): Promise<void> => {
      kill();
      await ended;
      process.off('exit', kill);
      rmSync(folder, { recursive: true, force: true });
    };
    try {
      const giveUp = Date.now() + START_SECONDS * 1000;
      for (let wait = FIRST_POLL; !existsSync(socket); wait = POLL) {
        if (over !== null) throw new QemuError(over);
        if (Date.now() > giveUp) throw new QemuError(`${program} does not open its gdb socket`);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
      const gdb = new GdbClient(streamOf(await open(socket)));
      const file = openSync(ram, 'r');
      return new Qemu(gdb, file, async () => {
        closeSync(file);
        await close();
      });
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** Interrupts may come at each step, or none do; its clock goes on. */
  async setStepping(interrupts: boolean): Promise<void> {
    const bits = await this.gdb.request('qqemu.sstepbits'), noInterrupts = Number(/NOIRQ=(\d+)/.exec(bits)?.[1] ?? 0);
    await this.gdb.command(`Qqemu.sstep=${(1 | (interrupts ? 0 : noInterrupts)).toString(16)}`);
  }

  /** Runs freely to an address, for the `count`-th time. @throws QemuError if it ends before */
  async runTo(address: number, count: number): Promise<void> {
    await this.gdb.setBreakpoint(address);
    for (let time = 0; time < count; time++) {
      // From a breakpoint it only goes on by a step.
      if (time > 0) await this.gdb.step();
      const stop = await this.gdb.continue().catch((error: unknown) => {
        if (!(error instanceof GdbError)) throw error;
        return { kind: 'exited', code: 0 } as const;
      });
      if (stop.kind === 'exited') throw new QemuError(`${this.#closed === null ? 'QEMU ended' : '--timeout: the time is over'} before it came to ${hex(address)}${count > 1 ? ` for the ${time + 1}. time` : ''}`);
    }
    await this.gdb.removeBreakpoint(address);
  }

  /** Reads 32 bits from a port. */
  async port(port: number): Promise<number> {
    const text = await this.gdb.monitor(`i /w ${hex(port)}`), [, value] = /= *(0x[0-9a-f]+)/.exec(text) ?? [];
    if (value === undefined) throw new GdbError(`port ${hex(port)} cannot be read: ${text.trim()}`);
    return Number(value) | 0;
  }

  async setPort(port: number, value: number): Promise<void> {
    await this.gdb.monitor(`o /w ${hex(port)} ${hex(value)}`);
  }

  /** Ends it; twice is allowed. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** @param socket connected */
export function streamOf(socket: Socket): Stream {
  const stream: Stream = { write: (bytes) => void socket.write(bytes, 'latin1'), onData: () => {}, onEnd: () => {} };
  socket.setEncoding('latin1');
  socket.setNoDelay(true);
  socket.on('data', (text: Buffer | string) => stream.onData(text as string));
  socket.on('error', () => {});
  socket.on('close', () => stream.onEnd('the connection was closed'));
  return stream;
}
