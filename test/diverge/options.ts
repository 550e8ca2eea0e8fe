/**
 * The command line of diverge: options of its own, with two dashes, and the machine's, which go to QEMU as they are written, but for those that
 * are tcg86's alone.
 */
import { parseIgnored } from './registers.ts';
import type { Ignored } from './registers.ts';
import { defaultConfig } from '../../src/cli/config.ts';
import type { Config } from '../../src/cli/config.ts';
import { UsageError } from '../../src/cli/errors.ts';
import { NAMED_MACHINES } from '../../src/cli/catalogue.ts';
import { OPTIONS, parseArguments } from '../../src/cli/options.ts';
import { FEATURE_NAMES } from '../../src/cpu/features.ts';

export interface DivergeOptions {
  /** The machine as tcg86 understands it. */
  readonly config: Config;
  /** QEMU's words for it, but for drives of a named machine. */
  readonly words: readonly string[];
  /** Where both begin: a symbol's name or linear address; null: at reset. */
  readonly from: { readonly place: string; readonly count: number } | null;
  readonly to: string | null;
  readonly steps: number;
  readonly differences: number;
  readonly last: number;
  readonly interrupts: boolean;
  readonly ignored: Ignored;
  readonly program: string;
}

interface Mutable {
  from: DivergeOptions['from'];
  to: string | null;
  steps: number;
  differences: number;
  last: number;
  interrupts: boolean;
  ignored: Ignored;
  program: string;
}

const whole = (option: string, text: string): number => {
  const value = Number(text);
  if (!/^(0x)?[0-9a-f]+$/i.test(text) || !Number.isSafeInteger(value) || value < 1) throw new UsageError(`${option} ${text}: not a whole number from 1 on`);
  return value;
};

const OWN: readonly { readonly name: string; readonly argument?: string; readonly help: string; readonly set: (options: Mutable, value: string) => void }[] = [
  { name: '--from', argument: 'PLACE[,N]', help: 'QEMU runs alone to this linear address or symbol (the N-th time); both go on from there. Without it: from reset', set: (options, value) => {
    const [place, count = '1'] = value.split(',');
    options.from = { place: place!, count: whole('--from', count) };
  } },
  { name: '--to', argument: 'PLACE', help: 'end there, with code 0', set: (options, value) => { options.to = value; } },
  { name: '--steps', argument: 'N', help: 'end after N instructions, with code 0', set: (options, value) => { options.steps = whole('--steps', value); } },
  { name: '--differences', argument: 'N', help: "end at the N-th difference (1); at others QEMU's values are taken over", set: (options, value) => { options.differences = whole('--differences', value); } },
  { name: '--ignore', argument: 'NAME,...', help: 'registers (eax, st0), groups (x87, sse) or flags (eflags.af) that are not compared', set: (options, value) => {
    try {
      options.ignored = parseIgnored(value);
    } catch (error) {
      throw new UsageError(`--ignore: ${(error as Error).message}`);
    }
  } },
  { name: '--last', argument: 'N', help: 'show the last N instructions (16)', set: (options, value) => { options.last = whole('--last', value); } },
  { name: '--no-interrupts', help: 'QEMU takes no interrupts', set: (options) => { options.interrupts = false; } },
  { name: '--qemu', argument: 'PROGRAM', help: 'another qemu-system-i386', set: (options, value) => { options.program = value; } },
];

/** Not QEMU's, or QEMU is given its own. */
const NOT_HANDED_ON = ['accel', 'cpu', 'icount', 'bios', 'm', 'memory', 'machine', 'M', 'display', 'nographic', 'd', 'D', 'dfilter', 'snapshot', 'timeout', 'stats', 'profile', 'symbols', 'images', 'name', 'k'];
const STEPS = ['expect', 'type', 'key', 'mouse', 'wait', 'change', 'screen', 'screenshot'];
/** Features that QEMU has without a name. */
const UNNAMED = ['nopl', 'pmc', 'basemsr'];
const SLOWEST = 10;

export const HELP = [
  'usage: npm run diverge -- [options] [the options of tcg86, which QEMU gets too]', '',
  ...OWN.map(({ name, argument, help }) => `  ${`${name}${argument === undefined ? '' : ` ${argument}`}`.padEnd(20)} ${help}`), '',
  'Words behind a -- go to QEMU alone. Exit code 0: no difference, 1: a difference, 2: it could not be run.',
].join('\n');

/** @throws UsageError; Information for -cpu help and the like */
export function parseDiverge(args: readonly string[]): DivergeOptions {
  const options: Mutable = {
    from: null, to: null, steps: Infinity, differences: 1, last: 16, interrupts: true, ignored: { registers: new Set(), flags: 0 }, program: 'qemu-system-i386',
  };
  const end = args.indexOf('--'), given = end < 0 ? args : args.slice(0, end), extra = end < 0 ? [] : args.slice(end + 1);
  const machine: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const word = given[at]!, own = OWN.find(({ name }) => name === word);
    if (own === undefined) {
      machine.push(word);
      // What follows belongs to it, whatever it looks like.
      if (OPTIONS.some(({ names, argument }) => argument !== undefined && /^--?/.test(word) && names.includes(word.replace(/^--?/, ''))) && at + 1 < given.length) machine.push(given[++at]!);
      continue;
    }
    if (own.argument === undefined) own.set(options, '');
    else if (at + 1 < given.length) own.set(options, given[++at]!);
    else throw new UsageError(`${word}: requires an argument (${own.argument})`);
  }
  const config = machine.length === 0 ? defaultConfig() : parseArguments(machine);
  return { ...options, config, words: [...handedOn(machine, config), ...extra] };
}

/** The machine's words as QEMU takes them. */
function handedOn(machine: readonly string[], config: Config): string[] {
  const words: string[] = [];
  for (let at = 0; at < machine.length; at++) {
    const word = machine[at]!;
    if (!word.startsWith('-')) {
      if (!NAMED_MACHINES.some(({ name }) => name === word)) words.push(word);
      continue;
    }
    const name = word.replace(/^--?/, ''), takes = OPTIONS.find(({ names }) => names.includes(name))?.argument !== undefined;
    if (STEPS.includes(name)) throw new UsageError(`${word}: steps are not done here`);
    const value = takes ? [machine[++at]!] : [];
    // The VGA's ROM is QEMU's or ours, as the firmware is.
    if (!NOT_HANDED_ON.includes(name)) words.push(word, ...value);
  }
  const { icount } = config;
  const shift = icount === null ? SLOWEST : icount.shift;
  return [
    ...words, '-m', `${config.memory / 2 ** 20}M`, '-display', 'none', '-monitor', 'none', '-parallel', 'none', '-snapshot',
    ...(config.serial.length === 0 ? ['-serial', config.noGraphic ? 'stdio' : 'null'] : []), ...(config.nics.length === 0 && !words.includes('-nic') && !words.includes('-net') ? ['-nic', 'none'] : []),
    '-icount', shift === 'auto' ? 'shift=auto' : `shift=${shift}`, '-cpu', qemuCpu(config.cpu),
    ...(config.bootOrder !== '' && !words.includes('-boot') ? ['-boot', config.bootOrder] : []),
  ];
}

/** QEMU's `max` has more than ours, and a guest would use it. */
function qemuCpu(cpu: string | null): string {
  const [name = 'qemu32', ...changes] = (cpu ?? 'qemu32').split(',');
  const known = changes.filter((change) => !UNNAMED.includes(change.replace(/^[+-]|=.*$/g, '')));
  const all = FEATURE_NAMES.filter((feature) => !UNNAMED.includes(feature)).map((feature) => `+${feature}`);
  return name === 'max' ? ['qemu32', ...all, ...known].join(',') : [name, ...known].join(',');
}
