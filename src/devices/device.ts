/**
 * The contract between a device and the board.
 * A device sees offsets only (IoRegion), drives IrqLine objects, takes time only from a Clock, and declares its whole
 * state by name with a version. Reset, save and restore follow from that declaration; what can be derived is rebuilt.
 */

/** One wire into an interrupt controller (or a latch such as A20, reset). Setting the level it already has is free. */
export interface IrqLine {
  set(level: boolean): void;
}

/** A one-shot timer of a Clock. */
export interface Timer {
  /** Call back at virtual time `deadline` (ns); an armed timer is moved. A deadline in the past fires at the next chance. */
  arm(deadline: number): void;
  cancel(): void;
  readonly armed: boolean;
  readonly deadline: number;
}

/** Virtual time. Devices have no other source of time. */
export interface Clock {
  /** Virtual nanoseconds since power on: a whole number below 2^53. */
  now(): number;
  /** @param ready false while the host has yet to answer; a clock may then stand still at the deadline */
  timer(name: string, callback: () => void, ready?: () => boolean): Timer;
}

type FieldArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;
type FieldValue = number | FieldArray;
export type StateFields = Record<string, FieldValue>;

/** A plain copy of a device's fields, as save states hold it. */
export interface SavedState {
  version: number;
  fields: Record<string, FieldValue>;
}

const copy = (value: FieldValue): FieldValue => (typeof value === 'number' ? value : value.slice());

/**
 * A device's declared state: numbers and typed arrays by name, with a version.
 * `fields` is live; its initial values are what reset() brings back.
 */
export class DeviceState<T extends StateFields> {
  readonly version: number;
  readonly fields: T;
  readonly #initial: T;

  constructor(version: number, initial: T) {
    this.version = version;
    this.#initial = initial;
    this.fields = Object.fromEntries(Object.entries(initial).map(([name, value]) => [name, copy(value)])) as T;
  }

  /** Power-on values. Typed arrays keep their identity. */
  reset(): void {
    this.#assign(this.#initial);
  }

  save(): SavedState {
    return { version: this.version, fields: Object.fromEntries(Object.entries(this.fields).map(([name, value]) => [name, copy(value)])) };
  }

  /** @throws Error if the version, a field or an array's length differs. */
  restore(saved: SavedState): void {
    if (saved.version !== this.version) throw new Error(`state version ${saved.version}, expected ${this.version}`);
    for (const [name, value] of Object.entries(this.#initial)) {
      const other = saved.fields[name];
      if (other === undefined || typeof other !== typeof value) throw new Error(`state field ${name} is missing or of another type`);
      if (typeof value !== 'number' && (other as FieldArray).length !== value.length) throw new Error(`state field ${name} has another length`);
    }
    this.#assign(saved.fields as T);
  }

  #assign(from: T): void {
    const fields = this.fields as StateFields;
    for (const name of Object.keys(this.#initial)) {
      const value = from[name] as FieldValue;
      if (typeof value === 'number') fields[name] = value;
      else (fields[name] as FieldArray).set(value);
    }
  }
}

/** What the board asks of every device; its IoRegions and inputs are its own public fields. */
export interface Device {
  /** Unique on the board, e.g. `i8259-master`. */
  readonly name: string;
  readonly state: DeviceState<StateFields>;
  /** Power-on or RESET#: state.reset() and whatever is derived from it (lines driven low, timers cancelled). */
  reset(): void;
  /** After state.restore(): rebuild what is derived (timers armed again, mappings, line levels). */
  restored?(): void;
}
