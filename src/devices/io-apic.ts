/**
 * The I/O APIC (82093AA) at FEC00000h: 24 inputs, each with an entry that says which vector goes where.
 *
 *     00 register number   10 data       registers: 00 ID, 01 version, 02 arbitration, 10-3F entries (low, high)
 *     entry: vector 7-0, delivery 10-8, logical 11, pending 12, active low 13, remote IRR 14, level 15, masked 16; destination 63-56
 *
 * Polarity is not modelled: an input is high when its device asks. Source: Intel 82093AA datasheet (290566).
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';

export const IO_APIC_BASE = 0xfec00000;
const INPUTS = 24, VERSION = 0x11 | (INPUTS - 1) << 16;
const LOGICAL = 1 << 11, REMOTE_IRR = 1 << 14, LEVEL = 1 << 15, MASKED = 1 << 16;
const LOW_WRITABLE = 0x1afff, DELIVERY_EXTINT = 7;

/** Sends a message to the local APICs. */
export type Send = (message: { destination: number; logical: boolean; mode: number; vector: number; level: boolean }) => void;

export class IoApic implements Device {
  readonly name = 'io-apic';
  readonly state = new DeviceState(1, {
    register: 0, id: 0, low: new Uint32Array(INPUTS).fill(MASKED), high: new Uint32Array(INPUTS),
    /** Levels of the inputs; edges that have not been sent. */
    lines: 0, edges: 0,
  });
  readonly io: IoRegion;
  readonly inputs: readonly IrqLine[];
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
    const { fields } = this.state;
    this.inputs = Array.from({ length: INPUTS }, (_, input) => ({ set: (level: boolean) => this.#set(input, level) }));
    this.io = {
      name: this.name, size: 4096, minAccess: 4, maxAccess: 4,
      read: (offset) => (offset === 0 ? fields.register : offset === 0x10 ? this.#read(fields.register) : 0),
      write: (offset, value) => {
        if (offset === 0) fields.register = value & 0xff;
        else if (offset === 0x10) this.#write(fields.register, value);
      },
    };
  }

  /** The inputs keep their levels. */
  reset(): void {
    const { lines } = this.state.fields;
    this.state.reset();
    this.state.fields.lines = lines;
  }

  /** A local APIC has finished a level-triggered vector. */
  endOfInterrupt(vector: number): void {
    const { low } = this.state.fields;
    for (let input = 0; input < INPUTS; input++) {
      if ((low[input]! & (0xff | REMOTE_IRR)) !== (vector | REMOTE_IRR)) continue;
      low[input] = low[input]! & ~REMOTE_IRR;
      this.#service(input);
    }
  }

  #set(input: number, level: boolean): void {
    const { fields } = this.state, bit = 1 << input;
    // Edges at a masked input are lost.
    if (level && (fields.lines & bit) === 0 && (fields.low[input]! & MASKED) === 0) fields.edges |= bit;
    fields.lines = level ? fields.lines | bit : fields.lines & ~bit;
    if (level) this.#service(input);
  }

  /** Sends what an input asks for. */
  #service(input: number): void {
    const { fields } = this.state, bit = 1 << input, low = fields.low[input]!;
    if ((low & MASKED) !== 0) return;
    const level = (low & LEVEL) !== 0;
    if (level ? (fields.lines & bit) === 0 || (low & REMOTE_IRR) !== 0 : (fields.edges & bit) === 0) return;
    fields.edges &= ~bit;
    if ((low >> 8 & 7) === DELIVERY_EXTINT) return;
    if (level) fields.low[input] = low | REMOTE_IRR;
    this.#send({ destination: fields.high[input]! >>> 24, logical: (low & LOGICAL) !== 0, mode: low >> 8 & 7, vector: low & 0xff, level });
  }

  #read(register: number): number {
    const { fields } = this.state;
    if (register === 0 || register === 2) return fields.id << 24;
    if (register === 1) return VERSION;
    const input = register - 0x10 >> 1;
    if (input < 0 || input >= INPUTS) return 0;
    return ((register & 1) === 0 ? fields.low : fields.high)[input]! | 0;
  }

  #write(register: number, value: number): void {
    const { fields } = this.state;
    const input = register - 0x10 >> 1;
    if (register === 0) fields.id = value >>> 24 & 15;
    else if (input >= 0 && input < INPUTS) {
      if ((register & 1) !== 0) fields.high[input] = value & 0xff000000;
      else {
        const level = (value & LEVEL) !== 0;
        fields.low[input] = value & LOW_WRITABLE | (level ? fields.low[input]! & REMOTE_IRR : 0);
        this.#service(input);
      }
    }
  }
}
