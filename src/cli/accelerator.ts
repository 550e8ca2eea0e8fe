/** `-accel tcg,…`: the translator, its two tiers, and how fast a processor it makes. */
import { PASS_NAMES } from '../tcg/passes/pipeline.ts';
import { SPEED_MAX, SPEED_MIN, speedProblem } from '../machine/slow-time.ts';
import type { Config } from './config.ts';
import { Information, UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

/** Guest instructions. */
const MAX_THRESHOLD = 2 ** 31 - 1;

interface AcceleratorProperty {
  readonly type: string;
  readonly text: string;
  readonly set: (accelerator: Config['accelerator'], value: string, option: string) => void;
}

const PROPERTIES: Readonly<Record<string, AcceleratorProperty>> = {
  jit: { type: 'bool', text: 'Compile hot code to JavaScript (on)', set: (accelerator, value, option) => { accelerator.jit = parseOnOff(option, 'jit', value, true); } },
  'jit-threshold': { type: 'int', text: 'Guest instructions spent in a block before it is compiled (200000)', set: (accelerator, value, option) => {
    accelerator.jitThreshold = parseNumber(`${option} jit-threshold`, value, 0, MAX_THRESHOLD);
  } },
  lockstep: { type: 'bool', text: 'Check compiled code against the op interpreter (off)', set: (accelerator, value, option) => { accelerator.lockstep = parseOnOff(option, 'lockstep', value, false); } },
  'one-insn-per-tb': { type: 'bool', text: 'Blocks of one instruction (off)', set: (accelerator, value, option) => {
    accelerator.oneInsnPerTb = parseOnOff(option, 'one-insn-per-tb', value, false);
  } },
  'passes-off': { type: 'string', text: `Optimization passes to leave out, joined by +: ${PASS_NAMES.join(', ')}`, set: (accelerator, value, option) => {
    accelerator.disabledPasses = value.split('+');
    const wrong = accelerator.disabledPasses.find((pass) => !PASS_NAMES.includes(pass));
    if (wrong !== undefined) throw new UsageError(`${option}: no pass '${wrong}' (${PASS_NAMES.join(', ')})`);
  } },
  speed: { type: 'number', text: 'Million instructions a second of a slow processor', set: (accelerator, value, option) => {
    const speed = /^(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : NaN;
    if (speedProblem(speed) !== null) throw new UsageError(`${option}: speed='${value}' is no number from ${SPEED_MIN} to ${SPEED_MAX} (million instructions a second)`);
    accelerator.speed = speed;
  } },
  'tb-size': { type: 'int', text: 'MiB of translated code that are kept (32)', set: (accelerator, value, option) => { accelerator.tbSize = parseNumber(`${option} tb-size`, value, 1, 1024); } },
};

export function setAccelerator(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'accel'), name = properties.get('accel');
  if (name === 'help') throw new Information('Accelerators supported in tcg86:\ntcg');
  if (name !== 'tcg') throw new UsageError(`${option} ${value}: invalid accelerator '${name}' (tcg)`);
  if (properties.has('help')) {
    throw new Information(['tcg-accel options:', ...Object.entries(PROPERTIES).map(([key, row]) => `${`  ${key}=<${row.type}>`.padEnd(24)} - ${row.text}`)].join('\n'));
  }
  checkProperties(`${option} tcg`, properties, ['accel', ...Object.keys(PROPERTIES)]);
  properties.delete('accel');
  for (const [key, text] of properties) PROPERTIES[key]!.set(config.accelerator, text, option);
}

/** What the options say together. @throws UsageError */
export function checkAccelerator({ accelerator: { jit, jitThreshold, lockstep, speed }, icount }: Config): void {
  if (!jit && lockstep) throw new UsageError('-accel: lockstep=on checks compiled code, and jit=off compiles none');
  if (!jit && jitThreshold !== null) throw new UsageError('-accel: jit-threshold has no meaning with jit=off');
  if (speed !== null && icount !== null) throw new UsageError('-accel speed= and -icount exclude each other: a shift is a speed');
}
