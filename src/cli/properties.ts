/** QEMU's `name,key=value,flag` option syntax, and the values in it. */
import { parseSize } from '../machine/size.ts';
import { UsageError } from './errors.ts';

/**
 * Splits `first,key=value,...`; `,,` is a comma in a value. A part without `=` is `key=on`, except the first,
 * which belongs to `implied` where that is given.
 */
export const parseProperties = (option: string, text: string, implied?: string): Map<string, string> => new Map(parsePairs(option, text, implied));

/** The same, with properties that are there more than once. */
export function parsePairs(option: string, text: string, implied?: string): [key: string, value: string][] {
  const properties: [string, string][] = [];
  const parts = text.replaceAll(',,', '\0').split(',').map((part) => part.replaceAll('\0', ','));
  parts.forEach((part, index) => {
    const equals = part.indexOf('=');
    if (equals > 0) properties.push([part.slice(0, equals), part.slice(equals + 1)]);
    else if (index === 0 && implied !== undefined) properties.push([implied, part]);
    else if (part === '') throw new UsageError(`${option} ${text}: empty property`);
    else properties.push([part, 'on']);
  });
  return properties;
}

/** @throws UsageError for a property that the option does not have. */
export function checkProperties(option: string, properties: Map<string, string>, known: readonly string[]): void {
  for (const key of properties.keys()) {
    if (!known.includes(key)) throw new UsageError(`${option}: invalid parameter '${key}' (known: ${known.join(', ')})`);
  }
}

export function parseOnOff(option: string, key: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (['on', 'yes', 'true', 'y'].includes(value)) return true;
  if (['off', 'no', 'false', 'n'].includes(value)) return false;
  throw new UsageError(`${option}: parameter '${key}' expects 'on' or 'off', not '${value}'`);
}

/** A whole number, decimal or 0x hexadecimal, in [min, max]. */
export function parseNumber(option: string, text: string, min: number, max: number): number {
  const value = (min < 0 ? /^(0x[0-9a-f]+|-?\d+)$/i : /^(0x[0-9a-f]+|\d+)$/i).test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw new UsageError(`${option}: '${text}' is not a number`);
  if (value < min || value > max) throw new UsageError(`${option}: ${text} is not between ${min} and ${max}`);
  return value;
}

/** Seconds, fractions allowed. */
export function parseSeconds(option: string, text: string): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) throw new UsageError(`${option}: '${text}' is not a number of seconds`);
  return Number(text);
}

/** A memory size in bytes: a number with K, M, G or T, MiB without. */
export function parseMemory(option: string, text: string): number {
  try {
    return parseSize(text);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}
