/** `-accel tcg,…`: the translator and its two tiers. */
import { PASS_NAMES } from '../tcg/passes/pipeline.ts';
import type { Config } from './config.ts';
import { Information, UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

const KNOWN = ['accel', 'jit', 'jit-threshold', 'lockstep', 'one-insn-per-tb', 'tb-size', 'passes-off'] as const;
/** Guest instructions. */
const MAX_THRESHOLD = 2 ** 31 - 1;

export function setAccelerator(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'accel');
  const name = properties.get('accel');
  if (name === 'help') throw new Information('Accelerators supported in tcg86:\ntcg');
  if (name !== 'tcg') throw new UsageError(`${option} ${value}: invalid accelerator '${name}' (tcg)`);
  checkProperties(`${option} tcg`, properties, KNOWN);
  const { accelerator } = config;
  accelerator.jit = parseOnOff(option, 'jit', properties.get('jit'), accelerator.jit);
  accelerator.lockstep = parseOnOff(option, 'lockstep', properties.get('lockstep'), accelerator.lockstep);
  accelerator.oneInsnPerTb = parseOnOff(option, 'one-insn-per-tb', properties.get('one-insn-per-tb'), accelerator.oneInsnPerTb);
  const threshold = properties.get('jit-threshold'), size = properties.get('tb-size'), off = properties.get('passes-off');
  if (threshold !== undefined) accelerator.jitThreshold = parseNumber(`${option} jit-threshold`, threshold, 0, MAX_THRESHOLD);
  if (size !== undefined) accelerator.tbSize = parseNumber(`${option} tb-size`, size, 1, 1024);
  if (off !== undefined) {
    accelerator.disabledPasses = off.split('+');
    const wrong = accelerator.disabledPasses.find((pass) => !PASS_NAMES.includes(pass));
    if (wrong !== undefined) throw new UsageError(`${option}: no pass '${wrong}' (${PASS_NAMES.join(', ')})`);
  }
  if (!accelerator.jit && accelerator.lockstep) throw new UsageError(`${option}: lockstep=on checks compiled code, and jit=off compiles none`);
  if (!accelerator.jit && accelerator.jitThreshold !== null) throw new UsageError(`${option}: jit-threshold has no meaning with jit=off`);
}
