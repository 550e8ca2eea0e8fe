/**
 * A running machine: the board, driven in slices of a few milliseconds between which the host's events get their turn.
 * HLT sleeps until the next timer or input. Several machines can run in one process; nothing here is global.
 *
 * Where virtual time is made of instructions (icount.ts), all that the guest or the steps can notice happens at a virtual time
 * that follows from the guest's own doing: slices end at the very instruction at which a timer is due, the steps look at the
 * machine at such times only, and where the host is late with an answer no time passes. When the host gets its turn has no effect.
 */
import type { VirtualClock } from '../devices/clock.ts';
import type { Timer } from '../devices/device.ts';
import type { Picture, TextScreen } from '../devices/host.ts';
import { HALTED, INTR, RESET_ALL, RESET_REQUEST } from '../cpu/state.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { StepError, describeStep } from './automation.ts';
import type { Step } from './automation.ts';
import { DEFAULT_ACTIONS } from './actions.ts';
import type { Actions } from './actions.ts';
import { biosKeysWaiting } from './bios-keyboard.ts';
import { GuestTime } from './guest-time.ts';
import { Keyboard } from './keyboard.ts';
import { InstructionTime } from './icount.ts';
import type { MediumOptions, RemovableDrive } from './media.ts';
import { Slack } from './slack.ts';
import { SlowTime } from './slow-time.ts';
import { Transcript, screenText } from './transcript.ts';

/** What the machine drives. The PC (src/devices/pc.ts) is one. */
export interface Board {
  readonly cpu: Cpu;
  readonly clock: VirtualClock;
  /** The clock of what follows the host although virtual time does not; null if that is nothing. */
  readonly hostClock: VirtualClock | null;
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
  /** What the guest waits for may be a floppy drive's mechanics. */
  readonly turning: boolean;
  /** Moves the mouse by counts, holds these buttons; false if it cannot take more now. */
  moveMouse(right: number, down: number, buttons: number, wheel: number): boolean;
  /** Points at a place on the screen; false if that cannot be taken now, null if nothing takes places. */
  point(x: number, y: number, buttons: number, wheel: number): boolean | null;
  /** The guest has been told all that the mouse did. */
  readonly mouseIdle: boolean;
}

/** What the machine needs of its host. */
export interface Host {
  /** Monotonic time in nanoseconds. */
  now(): number;
  /** Comes back after pending host events have been handled. */
  yield(): Promise<void>;
  /** Comes back after `milliseconds`, a whole number, or earlier: when `wake` is called, or by itself. */
  sleep(milliseconds: number): Promise<void>;
  wake(): void;
}

/** Why run() ended. */
export type RunResult =
  /** stop() was called, or all steps were done. */
  | { readonly reason: 'stopped' }
  /** The guest reset the machine, and actions.reboot is `shutdown`. */
  | { readonly reason: 'reset' }
  /** The guest switched the machine off. */
  | { readonly reason: 'poweroff' }
  /** The guest panicked (pvpanic); `failure`: actions.panic is `exit-failure`. */
  | { readonly reason: 'panic'; readonly failure: boolean }
  /** The actions say that the machine stands still after what the guest did. The next run() lets it go on. */
  | { readonly reason: 'paused'; readonly by: 'reset' | 'poweroff' | 'panic' }
  /** The guest wrote to isa-debug-exit. */
  | { readonly reason: 'exit'; readonly code: number }
  /** The time given for the run was over. */
  | { readonly reason: 'timeout' };

export interface MachineOptions {
  /** What follows when the guest resets, switches itself off, or panics, as in QEMU's -action; default: reset, poweroff, shutdown. */
  actions?: Partial<Actions>;
  /** Host seconds that run() may take; over: reason 'timeout', or StepError if a step was not done. */
  timeout?: number;
  /** Where a `screen` step prints. */
  print?: (text: string) => void;
  /** What a `screenshot` step does; its errors are the step's. */
  savePicture?: (picture: Picture, file: string) => void;
  /** What a `change` step does; its errors are the step's. */
  changeMedium?: (drive: RemovableDrive, file: string | null, options: MediumOptions) => void;
}

/** Host time of one turn of the loop, after which host events are handled (ns). */
const TURN = 4_000_000;
/** Host time that one call of cpu.run should take: bounds how late a timer fires (ns). */
const SLICE = 500_000;
const SLICE_MIN = 1000, SLICE_MAX = 2_000_000;
/** Guest instructions translated or compiled in a slice, after which it ends: 10 to 50 us each, the more the less V8 has optimized the translator. */
const SLICE_WORK = 16;
/** Virtual time for each of the host's while a floppy is waited for by a guest that does not halt: the slower processor of its days. */
const TURNING_PACE = 8;
/** Counted time: most instructions of a call of cpu.run, and how often the steps look at the machine (ns, or instructions if those are longer). */
const COUNTED_SLICE = 100_000, LOOK_INTERVAL = 4_000_000, LOOK_INSTRUCTIONS = 1_000_000;
/** How long to wait before asking again whether a late host has answered (ns). */
const LATE_HOST = 1_000_000;
/** How long a machine waits for the host's clock whose guest has done what its speed allows (ns). */
const PAUSE = 4_000_000;
/** Longest sleep of a machine in HLT (ns): a display that waits for a turn is served. */
const SLEEP_MAX = 50_000_000;
/** A key or a movement that the guest does not take in this virtual time fails its step (ns). */
const PATIENCE = 60_000_000_000;
/** Changed characters after which the transcript looks at the screen, whatever the time: about six rows. */
const CROWD = 480;

/** Virtual time that follows the host's. */
type HostedTime = GuestTime | SlowTime;

export class MachineCore<B extends Board = Board> {
  readonly board: B;
  readonly transcript = new Transcript();
  readonly keyboard: Keyboard;
  /** Called after each turn, e.g. by a display. */
  onTurn: (() => void) | null = null;
  readonly #host: Host;
  readonly #time: HostedTime | InstructionTime;
  readonly #slack: Slack;
  /** Due when the keyboard may take the next key, and when a step wants its turn. */
  readonly #keyTimer: Timer;
  readonly #stepTimer: Timer;
  readonly #options: MachineOptions;
  readonly #actions: Actions;
  #result: RunResult | null = null;
  /** Host time at which the run is over. */
  #limit = Infinity;
  #running = false;
  #slice = 50_000;
  /** Steps are being done: the transcript follows the screen. */
  #watching = false;
  #script: Generator<Step, void> | null = null;
  /** Counted time: when the steps look at the machine next, and what had retired when they last did. */
  #lookAt = 0;
  #lookedAt = -1;

  /** @param time what the board's clock shows */
  constructor(board: B, host: Host, time: HostedTime | InstructionTime, options: MachineOptions = {}) {
    this.board = board;
    this.#host = host;
    this.#time = time;
    this.#slack = new Slack(time instanceof SlowTime ? time.rate : Infinity);
    this.#options = options;
    this.#actions = { ...DEFAULT_ACTIONS, ...options.actions };
    this.keyboard = new Keyboard({
      now: () => board.clock.now(),
      key: (name, down) => board.key(name, down),
      idle: () => board.keyboardIdle,
      retired: () => board.cpu.retired,
      sleeps: () => board.cpu.R[HALTED] !== 0,
      waiting: () => biosKeysWaiting(board.cpu.R, (address) => board.space.read(address, 2)),
      wake: () => {
        if (!this.#keyTimer.armed) this.#keyTimer.arm(board.clock.now());
      },
    });
    this.#keyTimer = board.clock.timer('typing', () => {
      const wait = this.keyboard.run();
      if (wait < Infinity) this.#keyTimer.arm(board.clock.now() + wait);
      this.#lookAt = 0;
    });
    this.#stepTimer = board.clock.timer('step', () => { this.#lookAt = 0; });
    // A device armed a timer within the slice that is running, or a frame came from the host while the machine sleeps: it fires in time.
    board.clock.onEarlier = () => {
      board.cpu.endRun();
      host.wake();
    };
    board.watchText(CROWD, () => {
      if (this.#watching) this.#look();
    });
  }

  /** Guest instructions retired since power on. */
  get retired(): number {
    return this.board.cpu.retired;
  }

  /** Ends run() at the next opportunity. */
  stop(): void {
    this.#end({ reason: 'stopped' });
  }

  /** The guest asks to end with this exit code. */
  exit(code: number): void {
    this.#end({ reason: 'exit', code });
  }

  /** The guest switches the machine off. */
  powerOff(): void {
    this.#shutDown({ reason: 'poweroff' });
  }

  /** The guest panicked. */
  panicked(): void {
    const { panic } = this.#actions;
    if (panic === 'pause') this.#end({ reason: 'paused', by: 'panic' });
    else if (panic !== 'none') this.#shutDown({ reason: 'panic', failure: panic === 'exit-failure' });
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
      this.#keyTimer.cancel();
      this.#stepTimer.cancel();
      this.#running = this.#watching = false;
    }
  }

  /** Stands still as it is, with its display, until stop(), or until the timeout of the run before it is over. @throws Error if the machine is running */
  async hold(): Promise<RunResult> {
    if (this.#running) throw new Error('the machine is running already');
    this.#running = true;
    this.#result = null;
    while (this.#ended() === null) {
      this.onTurn?.();
      if (this.#host.now() > this.#limit) this.#result = { reason: 'timeout' };
      else await this.#host.sleep(SLEEP_MAX / 1e6);
    }
    this.#running = false;
    return this.#ended()!;
  }

  async #loop(steps: readonly Step[]): Promise<RunResult> {
    const { timeout } = this.#options;
    const time = this.#time, limit = this.#limit = timeout === undefined ? Infinity : this.#host.now() + timeout * 1e9;
    this.#script = steps.length > 0 ? this.#perform(steps) : null;
    this.#lookAt = 0;
    while (this.#ended() === null) {
      const counted = time instanceof InstructionTime;
      const idle = counted ? this.#countedTurn(time) : this.#turn(time);
      if (counted) this.onTurn?.();
      else this.#advance();
      if (this.#ended() !== null) break;
      if (this.#host.now() > limit) this.#result = { reason: 'timeout' };
      else if (idle === 0) await this.#host.yield();
      else if (counted || (time instanceof SlowTime && time.spent)) await this.#host.sleep(Math.ceil(Math.min(idle, SLEEP_MAX) / 1e6));
      else await this.#sleep(time, Math.min(idle, SLEEP_MAX));
    }
    const result = this.#ended()!;
    // What the guest wrote last may be what the steps wait for.
    if (this.#watching) this.#look();
    const step = this.#script?.next();
    if (step !== undefined && step.done !== true) throw new StepError(`${describeStep(step.value)}: ${describeEnd(result, timeout)}`);
    return result;
  }

  async #sleep(time: HostedTime, wait: number): Promise<void> {
    const now = this.#host.now(), longer = wait + this.#slack.begin(now, wait, this.retired);
    this.board.cpu.rest(now, this.#slack.quiet);
    await this.#host.sleep(Math.ceil(longer / 1e6));
    this.#slack.end(this.#host.now(), longer);
    time.idle(this.board.clock.nextDeadline());
  }

  /** Runs the guest for one turn; returns for how many virtual nanoseconds there is nothing to do (0: go on at once). */
  #turn(time: HostedTime): number {
    const { cpu, clock } = this.board;
    const end = this.#host.now() + TURN;
    for (;;) {
      clock.runTimers();
      time.pace = this.board.turning ? TURNING_PACE : 1;
      const before = this.#host.now();
      const deadline = clock.nextDeadline();
      const budget = time instanceof SlowTime ? Math.min(this.#slice, time.due(deadline)) : this.#budget((deadline - clock.now()) / time.speed);
      if (budget === 0) return PAUSE;
      time.beginSlice(deadline, cpu.R[INTR] !== 0);
      const retired = cpu.run(budget, SLICE_WORK);
      time.endSlice();
      if (cpu.R[RESET_REQUEST] !== 0) this.#reset();
      if (this.#result !== null) return 0;
      const after = this.#host.now();
      if (cpu.R[HALTED] !== 0) {
        time.idle(clock.nextDeadline());
        const wait = clock.nextDeadline() - clock.now();
        // A floppy takes its time, but not the user's: while a guest sleeps for it, virtual time goes on to the next event.
        if (wait > 0 && this.board.turning) time.skip(Math.ceil(wait));
        else if (wait > 0) return wait;
      } else if (retired >= this.#slice / 2) this.#adapt(retired, after - before);
      if (after >= end) return 0;
    }
  }

  /** The same where time is made of instructions. Returns host nanoseconds. */
  #countedTurn(time: InstructionTime): number {
    const { cpu, clock, hostClock } = this.board;
    const end = this.#host.now() + TURN;
    // What woke the machine comes as late as it is.
    if (cpu.R[HALTED] !== 0) time.slept(clock.nextDeadline());
    const early = time.early();
    if (early > 0) return early;
    do {
      if (!clock.runTimers()) return LATE_HOST;
      hostClock?.runTimers();
      // Where the host is within a sleep must not show: without instructions there is nothing new.
      if (this.#watching && clock.now() >= this.#lookAt && (this.#lookAt === 0 || cpu.retired !== this.#lookedAt)) this.#countedLook(time);
      if (this.#result !== null) return 0;
      time.adapt();
      const retired = cpu.run(time.until(Math.min(clock.nextDeadline(), this.#watching ? this.#lookAt : Infinity), COUNTED_SLICE), SLICE_WORK);
      if (retired > 0) time.busy();
      if (cpu.R[RESET_REQUEST] !== 0) this.#reset();
      if (cpu.R[HALTED] === 0 || this.#result !== null) continue;
      const deadline = clock.nextDeadline();
      // What the guest did before it halted is seen now if the steps would look before it goes on.
      if (this.#watching && deadline > this.#lookAt && cpu.retired !== this.#lookedAt) {
        this.#countedLook(time);
        continue;
      }
      const wait = time.idle(deadline);
      if (wait > 0) return hostClock === null ? wait : Math.min(wait, Math.max(1, hostClock.nextDeadline() - hostClock.now()));
    } while (this.#result === null && this.#host.now() < end);
    return 0;
  }

  #countedLook(time: InstructionTime): void {
    const now = this.board.clock.now();
    this.#lookAt = Math.max(now + LOOK_INTERVAL, now + time.duration(LOOK_INSTRUCTIONS));
    this.#lookedAt = this.board.cpu.retired;
    this.#advance();
  }

  /** The transcript sees the screen, and the steps go on: their output comes behind what the guest wrote. */
  #advance(): void {
    if (this.#watching) this.#look();
    this.onTurn?.();
    if (this.#ended() === null && this.#script?.next().done === true) this.#end({ reason: 'stopped' });
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
    this.transcript.poll(this.board.textScreen(), this.board.changedRows());
  }

  #reset(): void {
    if ((this.board.cpu.R[RESET_REQUEST]! & RESET_ALL) === 0) this.board.cpu.init();
    else if (this.#actions.reboot === 'shutdown') this.#shutDown({ reason: 'reset' });
    else this.board.reset();
  }

  #ended(): RunResult | null {
    return this.#result;
  }

  /** The guest is done, or is to be looked at as it is. */
  #shutDown(result: Extract<RunResult, { reason: 'reset' | 'poweroff' | 'panic' }>): void {
    this.#end(this.#actions.shutdown === 'pause' ? { reason: 'paused', by: result.reason } : result);
  }

  #end(result: RunResult): void {
    this.#result ??= result;
    this.board.cpu.endRun();
    this.#host.wake();
  }

  /** The steps, one resumption a look; yields the step that is not done yet. */
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
          // Its last key may have ended the machine: then it has been taken.
          while (!this.keyboard.done && (this.keyboard.pending > 0 || this.#ended() === null)) {
            if (this.keyboard.stuck > PATIENCE) throw new StepError(`${describeStep(step)}: the guest does not read the keyboard`);
            yield step;
          }
          break;
        case 'mouse':
          this.board.moveMouse(step.right, step.down, step.buttons, step.wheel);
          yield* this.#mouse(step);
          break;
        case 'point':
          if (this.board.point(step.x, step.y, step.buttons, step.wheel) === null) throw new StepError(`${describeStep(step)}: nothing that the guest uses takes places (virtio-tablet-pci, vmmouse)`);
          yield* this.#mouse(step);
          break;
        case 'wait':
          this.#stepTimer.arm(this.board.clock.now() + Math.round(step.seconds * 1e9));
          // A machine that has ended has nothing left to wait for.
          while (this.#stepTimer.armed && this.#ended() === null) yield step;
          break;
        case 'screen':
          this.#options.print?.(`${this.screen()}\n`);
          break;
        case 'screenshot':
          attempt(step, () => this.#options.savePicture?.(this.board.picture(), step.file));
          break;
        case 'change':
          attempt(step, () => this.#options.changeMedium?.(step.drive, step.file, step));
          break;
      }
    }
  }

  /** Waits until the guest has been told what the mouse did. */
  *#mouse(step: Step): Generator<Step, void> {
    const { board } = this, since = board.clock.now();
    while (!board.mouseIdle && this.#ended() === null) {
      if (board.clock.now() - since > PATIENCE) throw new StepError(`${describeStep(step)}: the guest does not read the mouse`);
      yield step;
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

/** Does what may fail on the host: its error is the step's. */
function attempt(step: Step, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new StepError(`${describeStep(step)}: ${(error as Error).message}`);
  }
}

export function describePause(by: 'reset' | 'poweroff' | 'panic'): string {
  const happened = { reset: 'reset the machine', poweroff: 'switched the machine off', panic: 'panicked' }[by];
  return `the guest ${happened}, and the machine is paused`;
}

function describeEnd(result: RunResult, timeout: number | undefined): string {
  switch (result.reason) {
    case 'timeout': return `not done after ${timeout} seconds (timeout)`;
    case 'exit': return `the guest ended the machine with code ${result.code}`;
    case 'poweroff': return 'the guest switched the machine off';
    case 'reset': return 'the guest reset the machine';
    case 'panic': return 'the guest panicked';
    case 'paused': return describePause(result.by);
    case 'stopped': return 'the machine was stopped';
  }
}
