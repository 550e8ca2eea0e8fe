/** The command `tcg86`: reads the arguments, builds the machine, runs it, says how it ended. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openChar } from '../backends/char.ts';
import type { OpenCharBackend } from '../backends/char.ts';
import { ImageError } from '../backends/block.ts';
import { ownImage } from '../backends/firmware.ts';
import { encodePng } from '../backends/png.ts';
import { Log, Machine, StepError, parseLogFilter } from '../index.ts';
import type { RunResult } from '../index.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { Information, parseArguments } from './options.ts';
import { connectStdin } from './stdin.ts';
import { TerminalDisplay } from './terminal-display.ts';

/** Exit codes: 1 as QEMU for what cannot start, 3 for a step or the timeout. */
const EXIT_ERROR = 1, EXIT_STEP = 3;
/** Where the demo disk looks for a way to end the machine. */
const DEMO_EXIT_PORT = 0x501;

function version(): string {
  const manifest = readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8');
  return `tcg86 version ${(JSON.parse(manifest) as { version: string }).version}`;
}

/** RTC base: UTC fields are what the guest reads. */
function rtcBase(base: string): Date {
  const now = new Date();
  if (base === 'utc') return now;
  if (base === 'localtime') return new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return new Date(base.includes('T') ? `${base}Z` : base);
}

/** The log as -d, -D and -dfilter ask for it, and how to close it. */
function openLog(config: Config): { log: Log | null; close: () => void } {
  if (config.logItems.length === 0) return { log: null, close: () => {} };
  let ranges = null;
  try {
    if (config.logFilter !== null) ranges = parseLogFilter(config.logFilter);
  } catch (error) {
    throw new UsageError(`-dfilter: ${(error as Error).message}`);
  }
  const descriptor = config.logFile === null ? 2 : openFor('-D', config.logFile);
  const pieces: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (length > 0) writeSync(descriptor, pieces.join(''));
    pieces.length = length = 0;
  };
  const log = new Log(config.logItems, (text) => {
    pieces.push(text);
    if ((length += text.length) > 1 << 16) flush();
  }, ranges);
  return { log, close: () => {
    flush();
    if (descriptor !== 2) closeSync(descriptor);
  } };
}

function openFor(option: string, file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${reasonOf(error)}`);
  }
}

/** The reason of a file system error, without the call it came from. */
const reasonOf = (error: unknown): string => (error as Error).message.replace(/^E[A-Z]+: /, '').replace(/, \w+ '.*'$/, '');

function openLine(option: string, spec: string): OpenCharBackend {
  try {
    return openChar(spec);
  } catch (error) {
    throw new UsageError(`${option} ${spec}: ${reasonOf(error)}`);
  }
}

/** Without a drive the demo disk boots; without a terminal it ends the machine when it is done. */
function withDemo(config: Config, hasTerminal: boolean): Config {
  if (config.drives.length > 0 || config.bios !== null) return config;
  return {
    ...config, drives: [{ file: ownImage('demo.img'), interface: 'floppy', index: 0, readOnly: true, snapshot: true, option: 'demo' }], bootOrder: config.bootOrder || 'a',
    debugExit: config.debugExit ?? (hasTerminal ? null : { iobase: DEMO_EXIT_PORT, iosize: 1 }),
  };
}

function writeOut(file: string, option: string, data: string | Uint8Array): void {
  try {
    writeFileSync(file, data);
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${reasonOf(error)}`);
  }
}

async function run(parsed: Config): Promise<number> {
  const hasTerminal = process.stdout.isTTY === true;
  const isDemo = parsed.drives.length === 0 && parsed.bios === null;
  const config = withDemo(parsed, hasTerminal);
  const display = config.display ?? (hasTerminal && !config.serial.includes('stdio') && config.steps.length === 0 ? 'term' : 'none');
  if (display === 'term' && !hasTerminal) throw new UsageError('-display term: the output is no terminal');
  const { log, close: closeLog } = openLog(config);
  const serials = config.serial.map((spec) => openLine('-serial', spec));
  const debugConsole = config.debugcon === null ? null : openLine('-debugcon', config.debugcon);
  const lines = debugConsole === null ? serials : [...serials, debugConsole];
  let closed = false;
  let machine: Machine | null = null;
  const close = (): void => {
    if (closed) return;
    closed = true;
    machine?.close();
    for (const line of lines) line.close();
    closeLog();
  };
  try {
    machine = Machine.open({
      memory: config.memory / 2 ** 20, drives: config.drives, boot: config.bootOrder, snapshot: config.snapshot, noReboot: config.noReboot,
      ...(config.bios === null ? {} : { bios: config.bios }), ...(config.vgaRom === null ? {} : { vgaBios: config.vgaRom }), ...(config.tbSize === null ? {} : { tbBytes: config.tbSize * 2 ** 20 }),
      ...(config.timeout === null ? {} : { timeout: config.timeout }), ...(serials.length === 0 ? {} : { serials }),
      rtcBase: rtcBase(config.rtcBase), debugConsole, debugExit: config.debugExit, disabledPasses: config.disabledPasses, log,
      print: (text) => process.stdout.write(text), savePicture: (picture, file) => writeOut(file, '--screenshot', encodePng(picture)),
    });
    const code = await drive(machine, config, display, lines, isDemo);
    if (config.stats !== null) writeOut(config.stats, '--stats', `${JSON.stringify(machine.stats(), null, 2)}\n`);
    return code;
  } finally {
    close();
  }
}

async function drive(machine: Machine, config: Config, display: 'term' | 'none', lines: readonly OpenCharBackend[], isDemo: boolean): Promise<number> {
  const screen = display === 'term' ? new TerminalDisplay(machine, config.name, process.stdin, process.stdout) : null;
  const disconnect = config.serial.includes('stdio') ? connectStdin(machine, lines[config.serial.indexOf('stdio')]!) : () => {};
  machine.onTurn = () => {
    screen?.refresh();
    for (const line of lines) line.flush();
  };
  // Ctrl-C and kill end the machine, so that images and logs are closed and the terminal is put back.
  const stop = (): void => machine.stop();
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  screen?.open();
  let result: RunResult;
  try {
    result = await machine.run(config.steps);
  } catch (error) {
    screen?.close();
    if (!(error instanceof StepError)) throw error;
    process.stdout.write(`${machine.screen()}\n`);
    process.stderr.write(`tcg86: ${error.message}\n`);
    return EXIT_STEP;
  } finally {
    screen?.close();
    disconnect();
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
  }
  // Without a display what the guest showed would be lost.
  if (display === 'none' && config.display === null && config.steps.length === 0) process.stdout.write(`${machine.screen()}\n`);
  switch (result.reason) {
    case 'exit': return isDemo && config.debugExit === null ? 0 : result.code;
    case 'timeout':
      process.stderr.write(`tcg86: --timeout: ${config.timeout} seconds are over\n`);
      return EXIT_STEP;
    default: return 0;
  }
}

async function main(): Promise<void> {
  try {
    process.exitCode = await run(parseArguments(process.argv.slice(2)));
  } catch (error) {
    if (error instanceof Information) {
      process.stdout.write(`${error.text === 'version' ? version() : error.text}\n`);
      return;
    }
    process.exitCode = EXIT_ERROR;
    // Anything that is not the user's to mend is a bug in the emulator, and is shown as one.
    const known = error instanceof UsageError || error instanceof ImageError || (error instanceof Error && error.constructor === Error) || error instanceof RangeError;
    process.stderr.write(known ? `tcg86: ${(error as Error).message}\n` : `tcg86: internal error: ${(error as Error).stack ?? String(error)}\n`);
  }
}

await main();
