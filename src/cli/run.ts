/** A whole run: opens what the configuration names, runs the machine, and says by the exit code how it ended. */
import { writeFileSync } from 'node:fs';
import { openChar } from '../backends/char.ts';
import type { CharOptions, OpenCharBackend } from '../backends/char.ts';
import { ownImage } from '../backends/firmware.ts';
import { reasonOf } from '../backends/output-file.ts';
import type { WavFile } from '../backends/wav.ts';
import { encodePng } from '../backends/png.ts';
import type { ConsolePort } from '../devices/virtio-console.ts';
import type { Picture } from '../devices/host.ts';
import { Machine, StepError } from '../index.ts';
import { describePause } from '../machine/machine.ts';
import type { Log, PcOptions, RunResult } from '../index.ts';
import { parseLine, takesStdio } from './chardevs.ts';
import type { LineOption } from './chardevs.ts';
import { openSpeaker } from './audio.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { floppiesOf, hasDefaultCdrom } from './drive-devices.ts';
import { openLog } from './log-file.ts';
import { withDefaultNic } from './network.ts';
import { openNetworks } from './networks.ts';
import { sharesOf } from './sharing.ts';
import { ImageFinder, sourcesOf } from './named-images.ts';
import type { Output } from './output.ts';
import { openReport, readSymbols } from './report-file.ts';
import { connectStdin } from './stdin.ts';
import { TerminalDisplay } from './terminal-display.ts';
import { rtcDate } from './time.ts';

/** Exit code for a step that failed and for the timeout. */
const EXIT_STEP = 3;
/** For a guest that panicked, where -action panic=exit-failure asks for one: QEMU's. */
const EXIT_PANIC = 1;
/** Where the demo disk looks for a way to end the machine: at its end, if nobody can type and it shows all by itself, or at `halt`. */
const DEMO_EXIT_TOUR = 0x501, DEMO_EXIT_HALT = 0x502;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The lines that the options name. */
interface Lines {
  serials: (OpenCharBackend | null)[];
  parallels: (OpenCharBackend | null)[];
  debugConsole: OpenCharBackend | null;
  /** Of the virtio-serial card; null: there is none. */
  ports: ConsolePort[] | null;
  open: readonly OpenCharBackend[];
  /** The line that standard input goes to. */
  stdio: OpenCharBackend | null;
}

/** @param opened told of each line that has to be closed. @throws UsageError */
async function openLines(config: Config, output: Output, opened: (line: OpenCharBackend) => void): Promise<Lines> {
  const all: OpenCharBackend[] = [], chardevs = new Map<string, OpenCharBackend>();
  let stdio: OpenCharBackend | null = null;
  const open = async (label: string, option: string, end: CharOptions): Promise<OpenCharBackend> => {
    try {
      const line = await openChar(end, {
        stdio: output.sink, failed: (reason) => output.complain(`${option}: ${reason}`), waiting: () => output.note(`waiting for a connection on ${option}`),
        redirected: (path) => output.print(`char device redirected to ${path} (label ${label})\n`),
      });
      all.push(line);
      opened(line);
      if (end.kind === 'stdio') stdio = line;
      return line;
    } catch (error) {
      throw new UsageError(`${option}: ${reasonOf(error)}`);
    }
  };
  const line = async (label: string, { option, end }: LineOption): Promise<OpenCharBackend | null> => (end === null ? null : typeof end === 'string' ? chardevs.get(end)! : await open(label, option, end));
  const lines = async (label: string, options: readonly LineOption[]): Promise<(OpenCharBackend | null)[]> => {
    const ends: (OpenCharBackend | null)[] = [];
    for (const [index, one] of options.entries()) ends.push(await line(`${label}${index}`, one));
    return ends;
  };
  for (const { id, end, option } of config.chardevs) chardevs.set(id, await open(id, option, end));
  const ports = config.virtioPorts.map(({ console, chardev, name }) => ({ console, backend: chardevs.get(chardev)!, ...(name === undefined ? {} : { name }) }));
  return {
    serials: await lines('serial', config.serial), parallels: await lines('parallel', config.parallel), debugConsole: config.debugcon && await line('debugcon', config.debugcon),
    ports: config.virtioSerial ? ports : null, open: all, stdio,
  };
}

/** The display where none was asked for: the terminal, if there is one that is free. */
function displayOf(config: Config): 'term' | 'none' {
  const hasTerminal = process.stdout.isTTY === true;
  const usesStdio = takesStdio(config);
  if (config.display === null) return hasTerminal && !usesStdio && config.steps.length === 0 ? 'term' : 'none';
  if (config.display === 'term' && !hasTerminal) throw new UsageError('-display term: standard output is no terminal');
  if (config.display === 'term' && usesStdio) throw new UsageError('-display term: the terminal is in use by a stdio line');
  return config.display;
}

/**
 * Without a drive the demo disk boots. If nobody can type, it gives its tour and ends the machine; unless other things were asked
 * for, standard output then has all that it says, which is more than a screenful.
 */
function withDemo(config: Config): Config {
  if (config.drives.some(({ file, image }) => file !== '' || image !== undefined) || config.bios !== null || config.kernel !== null) return config;
  const usesStdio = takesStdio(config);
  const canType = config.steps.length > 0 || (process.stdin.isTTY === true && (usesStdio || displayOf(config) === 'term'));
  return {
    ...config, drives: [...config.drives, { file: ownImage('demo.img'), interface: 'floppy', index: 0, readOnly: true, snapshot: true, option: 'demo' }], bootOrder: config.bootOrder || 'a',
    ...(canType || config.display !== null || config.serial.length > 0 || usesStdio ? {} : { display: 'none', serial: [parseLine('demo', 'stdio')] }),
    // It has no use for a network.
    noNic: true, debugExit: config.debugExit ?? { iobase: canType ? DEMO_EXIT_HALT : DEMO_EXIT_TOUR, iosize: 1 },
  };
}

/** The images of a named machine are brought here. @throws UsageError */
export async function withImages(config: Config): Promise<Config> {
  if (config.drives.every(({ image }) => image === undefined)) return config;
  const control = new AbortController();
  const stop = (signal: string): void => control.abort(new UsageError(`terminating on signal ${signal}`));
  for (const signal of SIGNALS) process.once(signal, stop);
  try {
    const finder = new ImageFinder(sourcesOf(process.env, control.signal));
    const drives: Config['drives'] = [];
    for (const drive of config.drives) drives.push(drive.image === undefined ? drive : { ...drive, file: await finder.bring(drive.image) });
    return { ...config, drives };
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

function acceleratorOf({ accelerator: { jitThreshold, tbSize, speed, ...others } }: Config): Partial<Parameters<typeof Machine.open>[0]> {
  return { ...others, ...(jitThreshold === null ? {} : { jitThreshold }), ...(tbSize === null ? {} : { tbBytes: tbSize * 2 ** 20 }), ...(speed === null ? {} : { speed }) };
}

function bootOf({ boot: { once, menu, splashTime, rebootTimeout, strict } }: Config): Partial<PcOptions> {
  return {
    bootOnce: once, bootMenu: menu, bootStrict: strict, ...(splashTime === null ? {} : { bootMenuWait: splashTime }), ...(rebootTimeout === null ? {} : { rebootTimeout }),
  };
}

/** -device VGA adds an adapter where -vga none took the default one away, as in QEMU. */
function adapterOf({ vga, vgaDevice, defaults }: Config): Partial<Parameters<typeof Machine.open>[0]> {
  if (vgaDevice === null) return vga === 'none' || (vga === null && !defaults) ? { vga: 'none' } : {};
  return { ...(vgaDevice.rom === null ? {} : { vgaBios: vgaDevice.rom }), ...(vgaDevice.memory === null ? {} : { vgaMemory: vgaDevice.memory }) };
}

function openMachine(config: Config, lines: Lines, speaker: WavFile | null, nics: PcOptions['nics'], log: Log | null, output: Output): Machine {
  try {
    return Machine.open({
      machine: config.machine, smbios: config.smbios, memory: config.memory / 2 ** 20, drives: config.drives, floppyDrives: floppiesOf(config), ...(hasDefaultCdrom(config) ? {} : { cdrom: null }), boot: config.bootOrder, ...bootOf(config), snapshot: config.snapshot, actions: config.actions,
      ...(config.bios === null ? {} : { bios: config.bios }), ...adapterOf(config),
      ...(config.cpu === null ? {} : { cpu: config.cpu }),
      ...(config.kernel === null ? {} : { kernel: config.kernel }), ...(config.initrd === null ? {} : { initrd: config.initrd }),
      ...(config.append === null ? {} : { append: config.append }),
      ...(config.timeout === null ? {} : { timeout: config.timeout }),
      ...(config.serial.length === 0 && config.defaults ? {} : { serials: lines.serials }), ...(config.parallel.length === 0 && config.defaults ? {} : { parallels: lines.parallels }), debugConsole: lines.debugConsole, ...(config.debugPort === null ? {} : { debugPort: config.debugPort }), speaker, nics, debugExit: config.debugExit, pvpanic: config.pvpanic, rngs: config.rngs, inputs: config.inputs, ...(config.balloon === null ? {} : { balloon: config.balloon }), shares: sharesOf(config), ...(lines.ports === null ? {} : { virtioPorts: lines.ports }), testDevice: config.testDevice, hpet: config.hpet, vmport: config.vmport,
      rtcBase: rtcDate(config.rtc.base), rtcClock: config.rtc.clock === 'vm' ? 'vm' : 'host', ...(config.icount === null ? {} : { icount: config.icount }),
      keyboardLayout: config.keyboardLayout, ...acceleratorOf(config), log, profile: config.profile !== null,
      print: (text) => output.print(text), savePicture, warn: (message) => output.complain(message), notify: (message) => output.note(message),
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function savePicture(picture: Picture, file: string): void {
  try {
    writeFileSync(file, encodePng(picture));
  } catch (error) {
    throw new Error(reasonOf(error));
  }
}

/** Runs what the command line asks for; returns the exit code. @throws UsageError for what cannot start */
export async function run(parsed: Config, output: Output): Promise<number> {
  const config = await withImages(withDefaultNic(withDemo(parsed)));
  const display = displayOf(config);
  const closers: (() => void)[] = [];
  try {
    const logFile = openLog(config, output);
    closers.push(() => logFile.close());
    const lines = await openLines(config, output, (line) => closers.push(() => line.close()));
    const networks = await openNetworks(config, output);
    closers.push(() => networks.close());
    const speaker = openSpeaker(config, output);
    closers.push(() => speaker?.close());
    const machine = openMachine(config, lines, speaker, networks.nics, logFile.log, output);
    closers.push(() => machine.close());
    const stats = openReport('--stats', config.stats, output), profile = openReport('--profile', config.profile, output);
    const symbols = readSymbols(config);
    for (const line of lines.open) line.onInput = () => machine.wake();
    machine.onTurn = () => {
      for (const line of lines.open) line.flush();
      logFile.flush();
    };
    const code = await drive(machine, config, display, lines, output);
    stats.write(() => `${JSON.stringify(machine.stats(), null, 2)}\n`);
    profile.write(() => machine.profile(symbols));
    // The demo ends by a debug exit that nobody asked for: that is success.
    return config.debugExit !== parsed.debugExit && code === 1 ? 0 : code;
  } finally {
    for (const close of closers.reverse()) close();
  }
}

async function drive(machine: Machine, config: Config, display: 'term' | 'none', lines: Lines, output: Output): Promise<number> {
  const screen = display === 'term' ? new TerminalDisplay(machine, config.name, process.stdin, process.stdout) : null;
  const disconnect = lines.stdio === null ? () => {} : connectStdin(machine, lines.stdio, output);
  // Kill ends the machine, so that images and logs are closed and the terminal is put back; a second time it just kills.
  const stop = (signal: string): void => {
    output.say(`terminating on signal ${signal}`);
    machine.stop();
  };
  output.onBroken = () => machine.stop();
  for (const signal of SIGNALS) process.once(signal, stop);
  const { onTurn } = machine;
  machine.onTurn = () => {
    screen?.refresh();
    onTurn?.();
  };
  if (screen !== null) output.hold();
  screen?.open();
  let result: RunResult | StepError;
  try {
    result = await machine.run(config.steps);
    if (result.reason === 'paused' && config.steps.length === 0) {
      output.note(describePause(result.by));
      result = await machine.hold();
    }
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    result = error;
  } finally {
    onTurn?.();
    screen?.close();
    disconnect();
    output.release();
    output.onBroken = null;
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  const failed = result instanceof StepError || result.reason === 'timeout';
  // Without a display what the guest showed would be lost.
  if (failed || (display === 'none' && config.display === null && config.steps.at(-1)?.kind !== 'screen')) output.print(screenOf(machine));
  if (!failed) return codeOf(result as RunResult);
  output.say(result instanceof StepError ? result.message : `--timeout: ${config.timeout} seconds are over`);
  return EXIT_STEP;
}

/** The exit code of a run that came to its end. */
function codeOf(result: RunResult): number {
  if (result.reason === 'exit') return result.code;
  return result.reason === 'panic' && result.failure ? EXIT_PANIC : 0;
}

function screenOf(machine: Machine): string {
  const text = machine.screen();
  if (text !== '') return `${text}\n`;
  if (machine.board.textScreen() !== null || machine.board.vga === null) return '';
  const { width, height } = machine.board.picture();
  return `(graphics, ${width}x${height})\n`;
}
