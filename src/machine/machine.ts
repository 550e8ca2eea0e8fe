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
import { biosKeysWaiting } from './bios-keyboard.ts';
import { Keyboard } from './keyboard.ts';
import type { RunTime } from './run-time.ts';
import { Transcript, screenText } from './transcript.ts';

/** What the machine drives. The PC (src/devices/pc.ts) is one. */
export interface Board {
  readonly cpu: Cpu;
  readonly clock: VirtualClock;
  readonly space: { read(address: number, size: 2): number };
  /** Hardware reset of everything. */
  reset(): void;
  /** The screen as text, or null in a graphics mode. */
  textScreen(): TextScreen | null;
  /** Starts to note which characters change; `many` is called when `limit` have since changedRows(). */
  watchText(limit: number, many: () => void): void;
  /** For each row of the text screen: 1 if the guest has changed a character in it since the last call. */
  changedRows(): Uint8Array | null;
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
  /** Host seconds that run() may take; over: reason 'timeout', or StepError if a step was not done. */
  timeout?: number;
  /** Where a `screen` step prints. */
  print?: (text: string) => void;
  /** What a `screenshot` step does; its errors are the step's. */
  savePicture?: (picture: Picture, file: string) => void;
}

/** Host time of one turn of the loop, after which host events are handled (ns). */
const TURN = 4_000_000;
/** Host time that one call of cpu.run should take: bounds how late a timer fires (ns). */
const SLICE = 500_000;
const SLICE_MIN = 1000, SLICE_MAX = 2_000_000;
/** Longest sleep of a machine in HLT (ns): a display that waits for a turn is served. */
const SLEEP_MAX = 50_000_000;
/** A key that the guest does not take in this virtual time fails its step (ns). */
const KEY_PATIENCE = 60_000_000_000;
/** Changed characters after which the transcript looks at the screen, whatever the time: about six rows. */
const CROWD = 480;

export class MachineCore<B extends Board = Board> {
  readonly board: B;
  readonly transcript = new Transcript();
  readonly keyboard: Keyboard;
  /** Guest instructions retired since power on. */
  retired = 0;
  /** Called after each turn, e.g. by a display. */
  onTurn: (() => void) | null = null;
  readonly #host: Host;
  readonly #time: RunTime;
  readonly #options: MachineOptions;
  #result: RunResult | null = null;
  #running = false;
  #slice = 50_000;
  /** Steps are being done: the transcript follows the screen. */
  #watching = false;
  #crowded = false;
  /** Virtual time at which a step wants its turn. */
  #wakeAt = Infinity;

  /** @param time what the board's clock shows */
  constructor(board: B, host: Host, time: RunTime, options: MachineOptions = {}) {
    this.board = board;
    this.#host = host;
    this.#time = time;
    this.#options = options;
    this.keyboard = new Keyboard({
      now: () => board.clock.now(),
      key: (name, down) => board.key(name, down),
      idle: () => board.keyboardIdle,
      waiting: () => biosKeysWaiting(board.cpu.R, (address) => board.space.read(address, 2)),
    });
    // A device armed a timer within the slice that is running: it fires in time.
    board.clock.onEarlier = () => board.cpu.endRun();
    board.watchText(CROWD, () => {
      if (!this.#watching) return;
      this.#crowded = true;
      board.cpu.endRun();
    });
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
   * Between runs virtual time stands still.
   * @throws StepError for a step that cannot succeed any more; Error if the machine is running already
   */
  async run(steps: readonly Step[] = []): Promise<RunResult> {
    if (this.#running) throw new Error('the machine is running already');
    this.#running = true;
    this.#watching = steps.length > 0;
    this.#result = null;
    this.#time.start();
    try {
      return await this.#loop(steps);
    } finally {
      this.#time.stop();
      this.keyboard.clear();
      this.#running = this.#watching = false;
    }
  }

  async #loop(steps: readonly Step[]): Promise<RunResult> {
    const { timeout } = this.#options;
    const limit = timeout === undefined ? Infinity : this.#host.now() + timeout * 1e9;
    const script = steps.length > 0 ? this.#perform(steps) : null;
    while (this.#ended() === null) {
      const nextKey = this.keyboard.run();
      const idle = this.#turn();
      if (this.#watching) this.#look();
      this.onTurn?.();
      if (this.#ended() !== null) break;
      if (script?.next().done === true) return { reason: 'stopped' };
      if (this.#host.now() > limit) this.#result = { reason: 'timeout' };
      else if (idle > 0) await this.#host.sleep(Math.max(0, Math.min(idle, nextKey, this.#wakeAt - this.board.clock.now(), SLEEP_MAX)) / 1e6);
      else await this.#host.yield();
    }
    const result = this.#ended()!;
    // What the guest wrote last may be what the steps wait for.
    const step = script?.next();
    if (step !== undefined && step.done !== true) throw new StepError(`${describeStep(step.value)}: ${describeEnd(result, timeout)}`);
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
      if (this.#crowded) this.#look();
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

  /** Lets the transcript see the screen. */
  #look(): void {
    this.#crowded = false;
    this.transcript.poll(this.board.textScreen(), this.board.changedRows());
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
    this.board.cpu.endRun();
    this.#host.wake();
  }

  /** The steps, one resumption a turn; yields the step that is not done yet. */
  *#perform(steps: readonly Step[]): Generator<Step, void> {
    for (const step of steps) {
      // Looking at the screen is no step of its own for what counts as new.
      if (step.kind !== 'screen' && step.kind !== 'screenshot') this.transcript.mark();
      switch (step.kind) {
        case 'expect':
          yield* this.#expect(step, step.pattern);
          break;
        case 'type':
        case 'key':
          this.keyboard.type(step.chords);
          while (!this.keyboard.done) {
            if (this.keyboard.stuck > KEY_PATIENCE) throw new StepError(`${describeStep(step)}: the guest does not read the keyboard`);
            yield step;
          }
          break;
        case 'wait':
          this.#wakeAt = this.board.clock.now() + step.seconds * 1e9;
          // A machine that has ended has nothing left to wait for.
          while (this.board.clock.now() < this.#wakeAt && this.#ended() === null) yield step;
          this.#wakeAt = Infinity;
          break;
        case 'screen':
          this.#options.print?.(`${this.screen()}\n`);
          break;
        case 'screenshot':
          try {
            this.#options.savePicture?.(this.board.picture(), step.file);
          } catch (error) {
            throw new StepError(`${describeStep(step)}: ${(error as Error).message}`);
          }
          break;
      }
    }
  }

  *#expect(step: Step, pattern: RegExp): Generator<Step, void> {
    for (let seen = -1; ; ) {
      const { version } = this.transcript;
      if (version !== seen) {
        // A sticky or global expression keeps its place; each look is at the whole text.
        pattern.lastIndex = 0;
        if (pattern.test(this.transcript.text)) return;
        seen = version;
      }
      yield step;
    }
  }
}

function describeEnd(result: RunResult, timeout: number | undefined): string {
  switch (result.reason) {
    case 'timeout': return `not done after ${timeout} seconds (timeout)`;
    case 'exit': return `the guest ended the machine with code ${result.code}`;
    case 'reset': return 'the guest reset the machine';
    case 'stopped': return 'the machine was stopped';
  }
}
