/**
 * A running machine: the board, driven in slices of a few milliseconds between which the host's events get their turn.
 * HLT sleeps until the next timer or input. Several machines can run in one process; nothing here is global.
 */
import type { VirtualClock } from '../devices/clock.ts';
import type { Picture, TextScreen } from '../devices/host.ts';
import { HALTED, RESET_REQUEST } from '../cpu/state.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { StepError, describeStep } from './automation.ts';
import type { Step } from './automation.ts';
import { Transcript, screenText } from './transcript.ts';
import type { Chord } from './typing.ts';

/** What the machine drives. The PC (src/devices/pc.ts) is one. */
export interface Board {
  readonly cpu: Cpu;
  readonly clock: VirtualClock;
  /** Hardware reset of everything. */
  reset(): void;
  /** The screen as text, or null in a graphics mode. */
  textScreen(): TextScreen | null;
  picture(): Picture;
  /** Presses or releases a key by its QEMU name; false if the keyboard's buffer is full. */
  key(name: string, down: boolean): boolean;
  /** Nothing that was typed waits in the keyboard or its controller. */
  readonly keyboardIdle: boolean;
}

/** What the machine needs of its host. */
export interface Host {
  /** Monotonic time in nanoseconds. */
  now(): number;
  /** Comes back after pending host events have been handled. */
  yield(): Promise<void>;
  /** Comes back after `milliseconds`, or earlier when `wake` is called. */
  sleep(milliseconds: number): Promise<void>;
  wake(): void;
}

/** Why run() ended. */
export type RunResult =
  /** stop() was called, or all steps were done. */
  | { readonly reason: 'stopped' }
  /** The guest reset the machine while noReboot was set. */
  | { readonly reason: 'reset' }
  /** The guest wrote to isa-debug-exit. */
  | { readonly reason: 'exit'; readonly code: number }
  /** The time given for the run was over. */
  | { readonly reason: 'timeout' };

export interface MachineOptions {
  /** End with reason 'reset' instead of resetting. */
  noReboot?: boolean;
  /** Host seconds for the whole run; over: reason 'timeout'. */
  timeout?: number;
  /** Where a `screen` step prints. */
  print?: (text: string) => void;
  /** What a `screenshot` step does. */
  savePicture?: (picture: Picture, file: string) => void;
}

/** Host time of one turn of the loop, after which host events are handled (ns). */
const TURN = 4_000_000;
/** Host time that one call of cpu.run should take: bounds how late a timer fires (ns). */
const SLICE = 500_000;
const SLICE_MIN = 1000, SLICE_MAX = 2_000_000;
/** Virtual time between the keys of typed text (ns): a BIOS that polls at the timer tick still follows. */
const KEY_INTERVAL = 8_000_000;
/** A key step that the guest does not take in this virtual time fails (ns). */
const KEY_PATIENCE = 60_000_000_000;

export class MachineCore<B extends Board = Board> {
  readonly board: B;
  readonly transcript = new Transcript();
  /** Guest instructions retired since power on. */
  retired = 0;
  /** Called after each turn, e.g. by a display. */
  onTurn: (() => void) | null = null;
  readonly #host: Host;
  readonly #options: MachineOptions;
  #result: RunResult | null = null;
  #slice = 50_000;

  constructor(board: B, host: Host, options: MachineOptions = {}) {
    this.board = board;
    this.#host = host;
    this.#options = options;
    // A device armed a timer within the slice that is running: it fires in time.
    board.clock.onEarlier = () => board.cpu.endRun();
  }

  /** Ends run() at the next opportunity. */
  stop(): void {
    this.#end({ reason: 'stopped' });
  }

  /** The guest asks to end with this exit code. */
  exit(code: number): void {
    this.#end({ reason: 'exit', code });
  }

  /** The text screen as lines; empty in graphics modes. */
  screen(): string {
    const screen = this.board.textScreen();
    return screen === null ? '' : screenText(screen);
  }

  /** Something arrived from outside (a key, a byte): a sleeping machine looks at it. */
  wake(): void {
    this.#host.wake();
  }

  /**
   * Runs until stop(), the guest's end, the timeout, or (if any are given) until all steps are done.
   * @throws StepError for a step that cannot succeed any more.
   */
  async run(steps: readonly Step[] = []): Promise<RunResult> {
    const limit = this.#options.timeout === undefined ? Infinity : this.#host.now() + this.#options.timeout * 1e9;
    const script = steps.length > 0 ? this.#perform(steps) : null;
    this.#result = null;
    for (;;) {
      const idle = this.#turn();
      this.transcript.poll(this.board.textScreen());
      this.onTurn?.();
      if (this.#ended() !== null) break;
      if (script?.next().done === true) return { reason: 'stopped' };
      if (this.#host.now() > limit) {
        this.#result = { reason: 'timeout' };
        break;
      }
      if (idle > 0) await this.#host.sleep(Math.min(idle / 1e6, 50));
      else await this.#host.yield();
    }
    const result = this.#ended()!;
    const step = script?.next();
    if (step !== undefined && step.done !== true) {
      const why = result.reason === 'timeout' ? 'timeout' : result.reason === 'exit' ? `the guest ended with code ${result.code}` : `the machine ended (${result.reason})`;
      throw new StepError(`${describeStep(step.value)}: ${why}`);
    }
    return result;
  }

  /** Runs the guest for one turn; returns for how many virtual nanoseconds there is nothing to do (0: go on at once). */
  #turn(): number {
    const { cpu, clock } = this.board;
    const end = this.#host.now() + TURN;
    for (;;) {
      clock.runTimers();
      const before = this.#host.now();
      const budget = this.#budget(clock.nextDeadline() - clock.now());
      const retired = cpu.run(budget);
      this.retired += retired;
      if (cpu.R[RESET_REQUEST] !== 0) this.#reset();
      if (this.#result !== null) return 0;
      const after = this.#host.now();
      if (cpu.R[HALTED] !== 0) {
        const wait = clock.nextDeadline() - clock.now();
        if (wait > 0) return wait;
      } else if (retired >= this.#slice / 2) this.#adapt(retired, after - before);
      if (after >= end) return 0;
    }
  }

  /** Instructions for a slice that ends when the next timer is due, in `wait` ns. */
  #budget(wait: number): number {
    if (wait >= SLICE) return this.#slice;
    return Math.max(SLICE_MIN, Math.ceil(this.#slice * Math.max(wait, 0) / SLICE));
  }

  /** Chooses the next slice so that it takes about SLICE of host time; `retired` took `elapsed` ns. */
  #adapt(retired: number, elapsed: number): void {
    if (elapsed <= 0) return;
    const aim = retired * SLICE / elapsed;
    this.#slice = Math.round(Math.min(SLICE_MAX, Math.max(SLICE_MIN, (this.#slice * 3 + aim) / 4)));
  }

  #reset(): void {
    if (this.#options.noReboot === true) this.#end({ reason: 'reset' });
    else this.board.reset();
  }

  #ended(): RunResult | null {
    return this.#result;
  }

  #end(result: RunResult): void {
    this.#result ??= result;
    this.board.cpu.kick();
    this.#host.wake();
  }

  /** The steps, one resumption a turn; yields the step that is not done yet. */
  *#perform(steps: readonly Step[]): Generator<Step, void> {
    for (const step of steps) {
      // Looking at the screen is no step of its own for what counts as new.
      if (step.kind !== 'screen' && step.kind !== 'screenshot') this.transcript.mark(this.board.textScreen());
      switch (step.kind) {
        case 'expect':
          while (!step.pattern.test(this.transcript.text)) yield step;
          break;
        case 'type':
          yield* this.#type(step, step.chords);
          break;
        case 'wait': {
          const until = this.board.clock.now() + step.seconds * 1e9;
          while (this.board.clock.now() < until) yield step;
          break;
        }
        case 'screen':
          this.#options.print?.(`${this.screen()}\n`);
          break;
        case 'screenshot':
          this.#options.savePicture?.(this.board.picture(), step.file);
          break;
      }
    }
  }

  *#type(step: Step, chords: readonly Chord[]): Generator<Step, void> {
    const { board } = this;
    for (const chord of chords) {
      const patience = board.clock.now() + KEY_PATIENCE;
      while (!board.keyboardIdle) {
        if (board.clock.now() > patience) throw new StepError(`${describeStep(step)}: the guest does not read the keyboard`);
        yield step;
      }
      for (const key of chord) board.key(key, true);
      for (const key of [...chord].reverse()) board.key(key, false);
      this.wake();
      const next = board.clock.now() + KEY_INTERVAL;
      while (board.clock.now() < next) yield step;
    }
  }
}
