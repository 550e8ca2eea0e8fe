/** `-o name=value,...`: options of a new image. */
import { openChain, resolveBacking } from '../../backends/block/chain.ts';
import { CREATE_OPTIONS } from '../../backends/block/create.ts';
import type { CreateOption, CreateValues } from '../../backends/block/create.ts';
import { FORMAT_NAMES } from '../../backends/block/formats.ts';
import { ImageError } from '../../backends/block/error.ts';
import { Information } from '../errors.ts';
import { ImgError } from './arguments.ts';
import { reasonFor } from './images.ts';
import { parseBytes } from './text.ts';

const SIZE_SYNTAX = "expects a non-negative number below 2^64\nOptional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.";

export function sizeError(name: string): string {
  return `Parameter '${name}' ${SIZE_SYNTAX}`;
}

/** The list that `-o help` shows. */
export function helpFor(format: string): string {
  const rows = [...CREATE_OPTIONS[format]!].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, type, help }) =>
    `  ${`${name}=<${type === 'bool' ? 'bool (on/off)' : type}>`.padEnd(22)} - ${help}`);
  return [`Supported ${format} options:`, ...rows].join('\n');
}

/** `-o help` asks for no image. @throws Information */
export function helpWanted(format: string, texts: readonly string[]): void {
  if (texts.includes('help') || texts.includes('?')) parseSettings(format, '', texts);
}

/** Reads all -o of a command. @throws ImgError; Information for `help` */
export function parseSettings(format: string, path: string, texts: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  if (!FORMAT_NAMES.includes(format)) throw new ImgError(`${path}: Unknown file format '${format}'`);
  for (const part of texts.flatMap((text) => text.replaceAll(',,', '\0').split(',')).map((one) => one.replaceAll('\0', ','))) {
    if (part === 'help' || part === '?') throw new Information(helpFor(format));
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const option = CREATE_OPTIONS[format]!.find((one) => one.name === name);
    if (option === undefined) throw new ImgError(`${path}: Invalid parameter '${name}'`);
    values.set(name, normalized(option, equals < 0 ? 'on' : part.slice(equals + 1), path));
  }
  return values;
}

function normalized({ name, type }: CreateOption, value: string, path: string): string {
  if (type === 'size') {
    const bytes = parseBytes(value);
    if (bytes === null) throw new ImgError(`${path}: ${sizeError(name)}`);
    return String(bytes);
  }
  if (type === 'num' && !/^\d+$/.test(value)) throw new ImgError(`${path}: Parameter '${name}' expects a number`);
  if (type === 'bool' && value !== 'on' && value !== 'off') throw new ImgError(`${path}: Parameter '${name}' expects 'on' or 'off'`);
  return value;
}

/** Puts in what -b and -F say. */
export function setBacking(values: Map<string, string>, format: string, file: string | undefined, backingFormat: string | undefined, path = ''): void {
  const prefix = path === '' ? '' : `${path}: `;
  const supported = CREATE_OPTIONS[format]!.some(({ name }) => name === 'backing_file');
  if (!supported && (file ?? backingFormat) !== undefined) throw new ImgError(`${prefix}Backing ${file !== undefined ? 'file' : 'format'} not supported for file format '${format}'`);
  if (file !== undefined) values.set('backing_file', file);
  if (backingFormat !== undefined) values.set('backing_fmt', backingFormat);
}

/** Size of the backing image, which must be there. @throws ImgError */
export function backingSize(path: string, values: CreateValues): number {
  const name = values.get('backing_file')!, format = values.get('backing_fmt');
  const failed = (reason: string): never => {
    throw new ImgError(`${path}: ${reason}\nCould not open backing image.`);
  };
  if (format !== undefined && !FORMAT_NAMES.includes(format)) failed(`Unknown driver '${format}'`);
  try {
    const { image, probed, close } = openChain(resolveBacking(path, name), { format, readOnly: true });
    const { size } = image;
    close();
    if (probed) throw new ImgError(`${path}: Backing file specified without backing format\nDetected format of ${image.format}.`);
    return size;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return failed(`Could not open '${error.path}': ${reasonFor(error.path, error)}`);
  }
}

/** All values of a new image, those that were not given too, in the order in which they are shown. */
export function shownValues(format: string, size: number, values: CreateValues): string {
  return CREATE_OPTIONS[format]!.flatMap(({ name, fallback }) => {
    const value = name === 'size' ? String(size) : values.get(name) ?? fallback;
    return value === undefined ? [] : [`${name}=${value}`];
  }).join(' ');
}
