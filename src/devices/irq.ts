/** Interrupt wires: a plain line, a line shared by several drivers, and one that leads nowhere. */
import type { IrqLine } from './device.ts';

/** A wire with one driver; `changed` is called when its level changes. Low at first. */
export class Line implements IrqLine {
  level = false;
  readonly #changed: (level: boolean) => void;

  constructor(changed: (level: boolean) => void) {
    this.#changed = changed;
  }

  set(level: boolean): void {
    if (level === this.level) return;
    this.level = level;
    this.#changed(level);
  }
}

/** A wired OR: `output` is high while any input is high (level-triggered PCI interrupts; two sources of A20 or reset). */
export class SharedLine {
  readonly #output: IrqLine;
  #high = 0;

  constructor(output: IrqLine) {
    this.#output = output;
  }

  /** A new driver of the line, low at first. */
  input(): Line {
    return new Line((level) => {
      this.#high += level ? 1 : -1;
      this.#output.set(this.#high > 0);
    });
  }
}

/** An output pin that is not connected. */
export const unconnected: IrqLine = { set() {} };
