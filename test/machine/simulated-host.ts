/** A host whose clock is the test's, and which stalls now and then. */
import type { Host } from '../../src/machine/machine.ts';

export const SECOND = 1e9;

export class SimulatedHost implements Host {
  time = 0;
  stalls = 0;
  sleeps = 0;
  /** From then on it does not stall. */
  calm = Infinity;
  /** When it is away once for `away`. */
  leaves = Infinity;
  away = 0;
  #seed = 1;

  now(): number {
    return (this.time += 50);
  }

  yield(): Promise<void> {
    this.#pass(20_000);
    return Promise.resolve();
  }

  sleep(milliseconds: number): Promise<void> {
    this.sleeps++;
    this.#pass(milliseconds * 1e6 + 80_000);
    return Promise.resolve();
  }

  wake(): void {}

  random(): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) >>> 0;
    return this.#seed / 2 ** 32;
  }

  /** Now and then the host is away, for up to three seconds. */
  stall(chance: number): void {
    if (this.random() >= chance || this.time >= this.calm) return;
    this.stalls++;
    this.time += this.random() ** 3 * 3 * SECOND;
  }

  #pass(ns: number): void {
    this.time += ns;
    this.stall(0.001);
    if (this.time < this.leaves) return;
    this.leaves = Infinity;
    this.time += this.away;
  }
}
