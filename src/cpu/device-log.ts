/**
 * Lockstep: what a region did to devices, and what they did to the processor meanwhile. Recorded while the region runs;
 * when the op interpreter then runs the same instructions, devices are not touched: it gets the recorded answers and effects,
 * and must ask the same questions in the same order, after the same number of instructions.
 */
import type { AccessSize } from '../memory/io-region.ts';
import type { PortAccess } from './helpers/context.ts';

type Kind = 'in' | 'out' | 'mmio read' | 'mmio write' | 'tsc' | 'random' | 'ferr';

interface Access {
  readonly kind: Kind;
  readonly address: number;
  readonly size: number;
  /** What was written. */
  readonly value: number;
  /** Instructions that had retired, since the region was entered. */
  readonly retired: number;
  result: number;
  /** Pins that changed, memory that was written, in order. */
  readonly effects: (() => void)[];
}

/** Thrown when the interpreter does not do what was recorded. */
export class DeviceMismatch extends Error {}

const show = ({ kind, address, size, value, retired }: Access): string =>
  `${kind} ${(address >>> 0).toString(16)}${kind === 'out' || kind === 'mmio write' ? ` = ${(value >>> 0).toString(16)}` : ''} (${size} bytes, after ${retired} instructions)`;

const OFF = 0, RECORDING = 1, REPLAYING = 2;

export class DeviceLog {
  /** Devices have moved memory: what was read before cannot be read again. */
  remapped = false;
  /** Instructions retired since the region was entered; the one that runs now is not counted. */
  retired: () => number = () => 0;
  #mode = OFF;
  #accesses: Access[] = [];
  #next = 0;
  #inside: Access | null = null;
  readonly #finish: (() => void)[] = [];

  record(): void {
    this.#mode = RECORDING;
    if (this.#accesses.length > 0) this.#accesses = [];
    this.remapped = false;
  }

  replay(): void {
    this.#mode = REPLAYING;
    this.#next = 0;
  }

  end(): void {
    this.#mode = OFF;
  }

  get replaying(): boolean {
    return this.#mode === REPLAYING;
  }

  /** All recorded accesses were asked for again. */
  get complete(): boolean {
    return this.#next === this.#accesses.length;
  }

  /** Recorded accesses that were not asked for again, for messages. */
  get missing(): string[] {
    return this.#accesses.slice(this.#next).map(show);
  }

  /** Notes what a device does to the processor in the access that is being recorded. `finish` is called when that is over. */
  effect(again: () => void, finish?: () => void): void {
    if (this.#inside === null) return;
    this.#inside.effects.push(again);
    if (finish !== undefined) this.#finish.push(finish);
  }

  ports(bus: PortAccess): PortAccess {
    return {
      read: (port, size) => this.#access('in', port, size, 0, () => bus.read(port, size)),
      write: (port, value, size) => void this.#access('out', port, size, value, () => (bus.write(port, value, size), 0)),
    };
  }

  memory(space: { read(pa: number, size: AccessSize): number; write(pa: number, value: number, size: AccessSize): void }): typeof space {
    return {
      read: (pa, size) => this.#access('mmio read', pa, size, 0, () => space.read(pa, size)),
      write: (pa, value, size) => void this.#access('mmio write', pa, size, value, () => (space.write(pa, value, size), 0)),
    };
  }

  /** What comes from outside as a number: time, randomness. */
  number(kind: 'tsc' | 'random', read: () => number): () => number {
    return () => this.#access(kind, 0, 8, 0, read);
  }

  fpuError(raise: () => void): () => void {
    return () => void this.#access('ferr', 0, 1, 0, () => (raise(), 0));
  }

  #access(kind: Kind, address: number, size: number, value: number, perform: () => number): number {
    if (this.#mode === OFF) return perform();
    const access: Access = { kind, address, size, value, retired: this.retired(), result: 0, effects: [] };
    if (this.#mode === REPLAYING) return this.#again(access);
    this.#accesses.push(access);
    this.#inside = access;
    try {
      return access.result = perform();
    } finally {
      this.#inside = null;
      if (this.#finish.length > 0) for (const finish of this.#finish.splice(0)) finish();
    }
  }

  #again(access: Access): number {
    const recorded = this.#accesses[this.#next];
    if (recorded === undefined) throw new DeviceMismatch(`the interpreter alone has: ${show(access)}`);
    const same = recorded.kind === access.kind && recorded.address === access.address && recorded.size === access.size
      && recorded.value === access.value && recorded.retired === access.retired;
    if (!same) throw new DeviceMismatch(`region: ${show(recorded)}; interpreter: ${show(access)}`);
    this.#next++;
    for (const effect of recorded.effects) effect();
    return recorded.result;
  }
}
