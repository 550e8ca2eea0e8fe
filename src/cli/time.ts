/** `-icount` and `-rtc`: what virtual time is made of, and what date the guest has. Syntax: qemu(1). */
import { SHIFT_MAX, icountProblem } from '../machine/icount.ts';
import type { IcountOptions } from '../machine/icount.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

export function setIcount(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'shift');
  if (properties.has('rr')) throw new UsageError(`${option}: rr=${properties.get('rr')} is not supported: with a shift, steps instead of keys and a fixed -rtc every run is the same`);
  checkProperties(option, properties, ['shift', 'align', 'sleep']);
  const shift = properties.get('shift');
  if (shift === undefined) throw new UsageError(`${option} ${value}: shift is missing (0 to ${SHIFT_MAX}, or auto)`);
  const icount: IcountOptions = {
    shift: shift === 'auto' ? shift : parseNumber(`${option} shift`, shift, 0, SHIFT_MAX),
    align: parseOnOff(option, 'align', properties.get('align'), false),
    sleep: parseOnOff(option, 'sleep', properties.get('sleep'), true),
  };
  const problem = icountProblem(icount);
  if (problem !== null) throw new UsageError(`${option} ${value}: ${problem}`);
  config.icount = icount;
}

export function setRtc(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value);
  checkProperties(option, properties, ['base', 'clock', 'driftfix']);
  const base = properties.get('base') ?? config.rtc.base, clock = properties.get('clock') ?? config.rtc.clock, driftfix = properties.get('driftfix') ?? 'none';
  if (base !== 'utc' && base !== 'localtime' && !isDate(base)) {
    throw new UsageError(`${option} base=${base}: expected utc, localtime or a date like 2026-01-01T12:00:00`);
  }
  if (clock !== 'host' && clock !== 'rt' && clock !== 'vm') throw new UsageError(`${option} clock=${clock}: expected host, rt or vm`);
  if (driftfix !== 'none') throw new UsageError(`${option} driftfix=${driftfix}: not supported (none)`);
  config.rtc = { base, clock };
}

/** A date of the calendar, with or without a time: what it means must read as it does. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(text)) return false;
  const date = new Date(text.includes('T') ? `${text}Z` : text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** The guest's date at power on: UTC fields are what it reads. */
export function rtcDate(base: string): Date {
  const now = new Date();
  if (base === 'utc') return now;
  if (base === 'localtime') return new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return new Date(base.includes('T') ? `${base}Z` : base);
}
