/**
 * Our side of the pair: a processor on a board whose devices stand still. Memory is that of the other side, which is a file: before the
 * processor reads a byte it is compared with that file, and taken over if a device has written there. So what the processor stores can be compared
 * after each instruction, and what differs elsewhere is a device's.
 */
import { readSync } from 'node:fs';
import { Cpu } from '../../src/cpu/cpu.ts';
import type { MemoryObserver } from '../../src/cpu/memory-access.ts';
import type { CpuModel } from '../../src/cpu/models.ts';
import { CS, EIP, IDT_BASE, IDT_LIMIT, SEG_BASE, TEMPS } from '../../src/cpu/state.ts';
import { Pc } from '../../src/devices/pc.ts';

/** Most bytes of an instruction. */
const INSN_BYTES = 15;
const PAGE = 4096, CHUNK = 1 << 20;
const CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc;

interface Store {
  readonly ma: number;
  readonly before: Uint8Array;
}

export interface GuestOptions {
  /** Bytes. */
  readonly memory: number;
  readonly bios: Uint8Array;
  readonly model: CpuModel;
  /** The other side's memory: guest address = offset. */
  readonly file: number;
}

export class Guest implements MemoryObserver {
  readonly cpu: Cpu;
  readonly pc: Pc<Cpu>;
  /** Bytes that devices of the other side wrote, and ours took over. */
  taken = 0;
  /** The instruction had to do with a device's memory, with ROM or video memory. */
  touched = false;
  readonly #memory: number;
  readonly #file: number;
  readonly #bytes: Uint8Array;
  readonly #before = new Int32Array(TEMPS);
  readonly #stores: Store[] = [];
  readonly #buffer = new Uint8Array(64);

  constructor({ memory, bios, model, file }: GuestOptions) {
    this.#memory = memory;
    this.#file = file;
    this.pc = new Pc<Cpu>({ memory, bios, time: () => 0, rtcBase: 0, apic: model.features.has('apic') }, (socket) => new Cpu({ ...socket, model, jit: false, observer: this }));
    this.cpu = this.pc.cpu;
    this.#bytes = this.cpu.bytes;
    this.pc.reset();
  }

  /** The whole memory, as it is now. */
  copyMemory(): void {
    for (let at = 0; at < this.#memory; at += CHUNK) readSync(this.#file, this.#bytes, at, CHUNK, at);
  }

  /** A register of a PCI function's configuration. */
  setPciConfig(address: number, value: number): void {
    this.pc.io.write(CONFIG_ADDRESS, address, 4);
    this.pc.io.write(CONFIG_DATA, value, 4);
  }

  get linear(): number {
    return this.cpu.R[SEG_BASE + CS]! + this.cpu.R[EIP]! | 0;
  }

  /** The next instruction's bytes, as many as can be read. */
  code(): Uint8Array {
    const code: number[] = [];
    for (let at = this.linear, end = at + INSN_BYTES; at < end; ) {
      const pa = this.cpu.peek(at | 0), within = Math.min(end - at, PAGE - (at & PAGE - 1));
      if (pa < 0) break;
      const { readMa, start } = this.cpu.space.lookup(pa);
      if (readMa >= 0) this.fetches(readMa + (pa - start), within);
      for (let i = 0; i < within; i++) code.push(this.cpu.space.read(pa + i, 1) & 0xff);
      at += within;
    }
    return Uint8Array.from(code);
  }

  /** One instruction, or the exception that it raises. */
  step(): void {
    this.#stores.length = 0;
    this.touched = false;
    this.#before.set(this.cpu.R.subarray(0, TEMPS));
    this.cpu.step();
  }

  /** The state before step(). */
  get before(): Int32Array {
    return this.#before;
  }

  /** As if step() had not been. What it told devices stays told. */
  rollBack(): void {
    for (const { ma, before } of this.#stores.splice(0).reverse()) this.#put(ma, before);
    this.cpu.R.set(this.#before);
    this.cpu.rollBack();
    this.cpu.flushTlb();
  }

  /** Takes an interrupt instead of an instruction. */
  interrupt(vector: number): void {
    this.cpu.interrupt(vector);
  }

  /** Gates of the interrupt table: code segment's selector and offset; null where there is none, or a task. */
  gate(vector: number, protectedMode: boolean): { selector: number; offset: number } | null {
    const { R } = this.cpu, size = protectedMode ? 8 : 4;
    if (size * (vector + 1) - 1 > R[IDT_LIMIT]!) return null;
    const at = R[IDT_BASE]! + size * vector | 0, low = this.#peek32(at);
    if (!protectedMode) return { selector: low >>> 16, offset: low & 0xffff };
    const high = this.#peek32(at + 4 | 0), type = high >> 8 & 0x1f;
    if ((high & 0x8000) === 0 || (type & 0x16) !== 6) return null;
    return { selector: low >>> 16, offset: (type & 8) !== 0 ? high & 0xffff0000 | low & 0xffff : low & 0xffff };
  }

  /** Stores of the last step that the other side has otherwise: address, ours, theirs. */
  storeDifferences(): { address: number; ours: number; theirs: number }[] {
    const different: { address: number; ours: number; theirs: number }[] = [];
    for (const { ma, before } of this.#stores) {
      const theirs = this.#theirs(ma, before.length);
      for (let i = 0; i < before.length; i++) {
        if (theirs[i] !== this.#bytes[ma + i]) different.push({ address: ma + i, ours: this.#bytes[ma + i]!, theirs: theirs[i]! });
      }
    }
    return different;
  }

  /** What the last step stored becomes what the other side has. */
  takeStores(): void {
    for (const { ma, before } of this.#stores) this.#put(ma, this.#theirs(ma, before.length));
  }

  reads(ma: number, length: number): void {
    if (ma + length > this.#memory) {
      this.touched = true;
      return;
    }
    this.#refresh(ma, length);
  }

  fetches(ma: number, length: number): void {
    if (ma + length <= this.#memory) this.#refresh(ma, length);
  }

  writes(ma: number, length: number): void {
    if (ma + length > this.#memory) this.touched = true;
    else this.#stores.push({ ma, before: this.#bytes.slice(ma, ma + length) });
  }

  touches(): void {
    this.touched = true;
  }

  #refresh(ma: number, length: number): void {
    // What this instruction has stored itself is newer.
    if (this.#stores.some((store) => store.ma < ma + length && ma < store.ma + store.before.length)) return;
    const theirs = this.#theirs(ma, length);
    for (let i = 0; i < length; i++) {
      if (theirs[i] === this.#bytes[ma + i]) continue;
      this.taken += length;
      this.#put(ma, theirs);
      return;
    }
  }

  #theirs(ma: number, length: number): Uint8Array {
    const bytes = this.#buffer.subarray(0, length);
    readSync(this.#file, bytes, 0, length, ma);
    return bytes;
  }

  #put(ma: number, bytes: Uint8Array): void {
    this.cpu.space.onRamWrite(ma, bytes.length);
    this.#bytes.set(bytes, ma);
  }

  #peek32(va: number): number {
    const pa = this.cpu.peek(va);
    return pa < 0 ? 0 : this.cpu.readPhysical(pa);
  }
}
