/**
 * The 8259A interrupt controller, and the cascaded pair of a PC.
 *
 * Two ports. A write to port 0 with bit 4 starts the sequence ICW1 ICW2 [ICW3] [ICW4] (the rest to port 1); otherwise port 0 takes
 * OCW2 (EOI and rotation) and OCW3 (poll, register to read, special mask), port 1 the mask (OCW1). Port 0 reads IRR or ISR, port 1
 * the mask. The edge/level register (ELCR, ports 4D0h/4D1h) belongs to the chipset and replaces the LTIM bit of ICW1.
 *
 * A request in edge mode is the latched rising edge together with the line: as on the chip, a line that falls before it was
 * acknowledged takes its request back, and the processor then gets the spurious vector (IRQ7 of the chip).
 * Source: Intel 8259A datasheet (231468); Intel 82371SB (PIIX3) datasheet, sections 2.5.10-2.5.17.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';
import { Line, unconnected } from './irq.ts';

const ICW1_INIT = 0x10;
const ICW1_SINGLE = 0x02;
const ICW1_IC4 = 0x01;
const ICW4_AUTO_EOI = 0x02;
const ICW4_SPECIAL_FULLY_NESTED = 0x10;
const SPURIOUS = 7;

/** Which ICW the next write to port 1 is; 0 = none, it is the mask. */
const NO_ICW = 0;

export class I8259 implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    /** Levels of the inputs. */
    lines: 0,
    /** Rising edges seen and not yet acknowledged. */
    edges: 0,
    /** All inputs until ICW1, which clears it: the chip is undefined before it is initialised, and a processor must not be disturbed by that. */
    mask: 0xff,
    inService: 0,
    /** ELCR: level-triggered inputs. */
    level: 0,
    /** Input of lowest priority. */
    lowest: 7,
    vectorBase: 0,
    /** ICW3: inputs with a slave (master). */
    slaves: 0,
    icw1: 0,
    icw4: 0,
    nextIcw: 0,
    readIsr: 0,
    poll: 0,
    specialMask: 0,
    rotateOnAutoEoi: 0,
  });
  readonly io: IoRegion;
  /** The edge/level control register of this chip. */
  readonly elcr: IoRegion;
  readonly inputs: readonly Line[];
  readonly #int: IrqLine;
  readonly #slave: I8259 | null;

  /**
   * @param int the INT output
   * @param levelAllowed the inputs that may be made level-triggered
   * @param slave the chip on input 2, if any
   */
  constructor(name: string, int: IrqLine, levelAllowed: number, slave: I8259 | null = null) {
    this.name = name;
    this.#int = int;
    this.#slave = slave;
    this.inputs = Array.from({ length: 8 }, (_, input) => new Line((level) => this.#setInput(1 << input, level)));
    this.io = { name, size: 2, minAccess: 1, maxAccess: 1, read: (offset) => this.#read(offset), write: (offset, value) => this.#write(offset, value) };
    this.elcr = {
      name: `${name}-elcr`,
      size: 1,
      minAccess: 1,
      maxAccess: 1,
      read: () => this.state.fields.level,
      write: (_offset, value) => {
        this.state.fields.level = value & levelAllowed;
        this.#update();
      },
    };
  }

  reset(): void {
    this.state.reset();
    // The devices drive their lines low themselves; a line that is still high must be seen as it is.
    this.inputs.forEach((input, i) => {
      if (input.level) this.state.fields.lines |= 1 << i;
    });
    this.#update();
  }

  restored(): void {
    this.inputs.forEach((input, i) => {
      input.level = (this.state.fields.lines & (1 << i)) !== 0;
    });
    this.#update();
  }

  /** INTA: the vector of the most urgent request, which is now in service. */
  acknowledge(): number {
    const { fields } = this.state;
    const input = this.#pending();
    if (input < 0) return fields.vectorBase + SPURIOUS;
    this.#serve(input);
    const cascaded = this.#slave && !(fields.icw1 & ICW1_SINGLE) && fields.slaves & (1 << input) && input === 2;
    return cascaded && this.#slave ? this.#slave.acknowledge() : fields.vectorBase + input;
  }

  /** Requests: levels of level-triggered inputs, latched edges of the others. */
  get #requests(): number {
    const { lines, level, edges } = this.state.fields;
    return lines & (level | edges);
  }

  #setInput(bit: number, level: boolean): void {
    const { fields } = this.state;
    if (level) {
      fields.lines |= bit;
      fields.edges |= bit;
    } else {
      fields.lines &= ~bit;
      fields.edges &= ~bit;
    }
    this.#update();
  }

  /** Rank of the most urgent input of a set, 0 = highest; 8 if the set is empty. */
  #rank(set: number): number {
    if (set === 0) return 8;
    const first = this.state.fields.lowest + 1;
    let rank = 0;
    while ((set & (1 << ((first + rank) & 7))) === 0) rank++;
    return rank;
  }

  /** The input to be served next, -1 if none may interrupt. */
  #pending(): number {
    const { fields } = this.state;
    const rank = this.#rank(this.#requests & ~fields.mask);
    if (rank === 8) return -1;
    let blocking = fields.inService;
    if (fields.specialMask) blocking &= ~fields.mask;
    // So that a slave's more urgent input passes while another one of it is in service.
    if (fields.icw4 & ICW4_SPECIAL_FULLY_NESTED) blocking &= ~fields.slaves;
    return rank < this.#rank(blocking) ? (fields.lowest + 1 + rank) & 7 : -1;
  }

  #serve(input: number): void {
    const { fields } = this.state;
    fields.edges &= ~(1 << input);
    if (!(fields.icw4 & ICW4_AUTO_EOI)) fields.inService |= 1 << input;
    else if (fields.rotateOnAutoEoi) fields.lowest = input;
    this.#update();
  }

  #update(): void {
    this.#int.set(this.#pending() >= 0);
  }

  #read(offset: number): number {
    const { fields } = this.state;
    if (fields.poll) {
      fields.poll = 0;
      const input = this.#pending();
      if (input < 0) return 0;
      this.#serve(input);
      return 0x80 | input;
    }
    if (offset === 1) return fields.mask;
    return fields.readIsr ? fields.inService : this.#requests;
  }

  #write(offset: number, value: number): void {
    const { fields } = this.state;
    if (offset === 0) {
      if (value & ICW1_INIT) this.#start(value);
      else if (value & 0x08) this.#ocw3(value);
      else this.#ocw2(value);
    } else if (fields.nextIcw === NO_ICW) {
      fields.mask = value;
    } else {
      this.#icw(value);
    }
    this.#update();
  }

  #start(icw1: number): void {
    const { fields } = this.state;
    fields.icw1 = icw1;
    fields.nextIcw = 2;
    fields.edges = fields.mask = fields.inService = fields.slaves = 0;
    fields.lowest = 7;
    fields.specialMask = fields.readIsr = fields.poll = fields.icw4 = fields.rotateOnAutoEoi = 0;
  }

  #icw(value: number): void {
    const { fields } = this.state;
    const last = fields.icw1 & ICW1_IC4 ? 4 : NO_ICW;
    switch (fields.nextIcw) {
      case 2:
        fields.vectorBase = value & 0xf8;
        fields.nextIcw = fields.icw1 & ICW1_SINGLE ? last : 3;
        break;
      case 3:
        fields.slaves = this.#slave ? value : 0;
        fields.nextIcw = last;
        break;
      default:
        fields.icw4 = value;
        fields.nextIcw = NO_ICW;
    }
  }

  /** Bits 7-5: rotate, specific, EOI; bits 2-0: the input meant by a specific command. */
  #ocw2(value: number): void {
    const { fields } = this.state;
    const rotate = (value & 0x80) !== 0;
    const specific = (value & 0x40) !== 0;
    if (value & 0x20) {
      const input = specific ? value & 7 : this.#inService();
      if (input < 0) return;
      fields.inService &= ~(1 << input);
      if (rotate) fields.lowest = input;
    } else if (specific) {
      if (rotate) fields.lowest = value & 7;
    } else {
      fields.rotateOnAutoEoi = rotate ? 1 : 0;
    }
  }

  /** The input that a non-specific EOI ends. In special mask mode masked inputs are left alone. */
  #inService(): number {
    const { fields } = this.state;
    const rank = this.#rank(fields.specialMask ? fields.inService & ~fields.mask : fields.inService);
    return rank === 8 ? -1 : (fields.lowest + 1 + rank) & 7;
  }

  #ocw3(value: number): void {
    const { fields } = this.state;
    if (value & 0x40) fields.specialMask = (value >> 5) & 1;
    if (value & 0x04) fields.poll = 1;
    if (value & 0x02) fields.readIsr = value & 1;
  }
}

/** Master and slave as a PC wires them: the slave's INT on IRQ2. */
export class I8259Pair {
  readonly master: I8259;
  readonly slave: I8259;
  /** IRQ0-15; IRQ2 leads nowhere. */
  readonly irq: readonly IrqLine[];

  /** @param intr the processor's INTR */
  constructor(intr: IrqLine) {
    // IRQ0, 1, 2, 8 and 13 are always edge-triggered.
    this.slave = new I8259('i8259-slave', { set: (level) => this.master.inputs[2].set(level) }, 0xde);
    this.master = new I8259('i8259-master', intr, 0xf8, this.slave);
    this.irq = [...this.master.inputs, ...this.slave.inputs].map((line, number) => (number === 2 ? unconnected : line));
  }

  acknowledge(): number {
    return this.master.acknowledge();
  }
}
