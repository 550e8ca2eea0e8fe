/** -smbios and -uuid. */
import { SMBIOS_FIELDS, parseRelease, parseUuid } from '../machine/boot/smbios.ts';
import type { SmbiosType } from '../machine/boot/smbios.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseProperties } from './properties.ts';

const CHECKS: Readonly<Record<string, (text: string) => unknown>> = { uuid: parseUuid, release: parseRelease };

export function setSmbios(config: Config, value: string, option: string): void {
  const given = parseProperties(option, value), text = given.get('type');
  if (text === undefined) throw new UsageError(`${option} ${value}: Must specify type=`);
  if (!Object.hasOwn(SMBIOS_FIELDS, text)) throw new UsageError(`${option} ${value}: Don't know how to build fields for SMBIOS type ${text} (${Object.keys(SMBIOS_FIELDS).join(', ')})`);
  const type = Number(text) as SmbiosType;
  given.delete('type');
  checkProperties(`${option} type=${type}`, given, SMBIOS_FIELDS[type]);
  for (const [key, field] of given) {
    try {
      CHECKS[key]?.(field);
    } catch (error) {
      throw new UsageError(`${option} ${key}: ${(error as Error).message}`);
    }
    if (!/^[\x20-\x7e]*$/.test(field)) throw new UsageError(`${option} ${key}: '${field}' is not ASCII text`);
  }
  config.smbios[type] = { ...config.smbios[type], ...Object.fromEntries(given) };
}
