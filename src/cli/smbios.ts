/** -smbios and -uuid. */
import { readFileSync } from 'node:fs';
import { reasonOf } from '../backends/output-file.ts';
import { SMBIOS_FIELDS, checkField, checkStructure, checkText } from '../machine/boot/smbios-fields.ts';
import type { SmbiosType } from '../machine/boot/smbios-fields.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parsePairs } from './properties.ts';

/** Types of which each option adds one; of the others it adds to what is said. */
const REPEATED = new Set<SmbiosType>([8, 41]);

export function setSmbios(config: Config, value: string, option: string): void {
  const pairs = parsePairs(option, value), given = new Map(pairs), file = given.get('file'), text = given.get('type');
  if (file !== undefined) return addFile(config, file, given, option);
  if (text === undefined) throw new UsageError(`${option} ${value}: Must specify type= or file=`);
  const name = `${option} type=${text}`;
  given.delete('type');
  if (text === '11') return addTexts(config, pairs, given, name);
  if (!Object.hasOwn(SMBIOS_FIELDS, text)) throw new UsageError(`${option} ${value}: Don't know how to build fields for SMBIOS type ${text} (${[...Object.keys(SMBIOS_FIELDS), 11].join(', ')})`);
  const type = Number(text) as SmbiosType;
  if (type === 41 && given.has('pcidev')) throw new UsageError(`${name} pcidev: the place of a device is not known here`);
  checkProperties(name, given, Object.keys(SMBIOS_FIELDS[type]));
  for (const [key, field] of given) attempt(`${option} ${key}`, () => checkField(type, key, field));
  checkStructures(config, type, name);
  const fields = Object.fromEntries(given), before = config.smbios[type];
  config.smbios = { ...config.smbios, [type]: REPEATED.has(type) ? [...(before as object[] | undefined) ?? [], fields] : { ...before, ...fields } };
}

/** Type 11: texts of whoever configures the machine. */
function addTexts(config: Config, pairs: readonly [string, string][], given: Map<string, string>, name: string): void {
  checkProperties(name, given, ['value', 'path']);
  checkStructures(config, 11, name);
  const texts = pairs.filter(([key]) => key !== 'type').map(([key, value]) => (key === 'value' ? value : read(`${name} path`, value).toString('latin1')));
  for (const text of texts) if (text.includes('\0')) throw new UsageError(`${name}: a text has a zero in it`);
  for (const [key, value] of pairs) if (key === 'value') attempt(`${name} value`, () => checkText(value));
  config.smbios = { ...config.smbios, 11: [...config.smbios[11] ?? [], ...texts.filter((text) => text !== '')] };
}

function addFile(config: Config, file: string, given: Map<string, string>, option: string): void {
  checkProperties(option, given, ['file']);
  const bytes = new Uint8Array(read(`${option} file`, file)), type = bytes[0]!;
  attempt(`${option} file ${file}`, () => checkStructure(bytes));
  if (Object.hasOwn(config.smbios, type)) throw new UsageError(`${option} file ${file}: fields were given for its type ${type} already`);
  config.smbios = { ...config.smbios, structures: [...config.smbios.structures ?? [], bytes] };
}

/** @throws UsageError for fields of a type of which there are files */
function checkStructures({ smbios }: Config, type: number, name: string): void {
  if (smbios.structures?.some((one) => one[0] === type) === true) throw new UsageError(`${name}: a file was given for this type already`);
}

function attempt(name: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${name} ${file}: ${reasonOf(error)}`);
  }
}
