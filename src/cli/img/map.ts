/** tcg86-img map */
import type { Image } from '../../backends/block/image.ts';
import { ImgError, misuse, outputFormat, parseOptions } from './arguments.ts';
import { withImage } from './images.ts';
import { statusOf } from './status.ts';
import type { Status } from './status.ts';
import { parseBytes } from './text.ts';

interface Entry extends Status {
  readonly start: number;
}

export function map(words: readonly string[]): number {
  const parsed = parseOptions(words, 'f:s:l:U', ['output=', 'force-share', 'start-offset=', 'max-length=', 'image-opts']);
  const { options, operands: [path, extra] } = parsed;
  if (path === undefined || extra !== undefined) misuse('Expecting one image file name');
  const output = outputFormat(parsed);
  const bytes = (name: string, fallback: number): number => parseBytes(options.get(name) ?? String(fallback)) ?? misuse(`Invalid value for --${name}`);
  const start = bytes('start-offset', 0), most = bytes('max-length', Number.MAX_SAFE_INTEGER);
  return withImage(path, { format: options.get('f'), readOnly: true, noLocks: options.has('U') || options.has('force-share') }, (image) => {
    const entries = entriesOf(image, start, Math.min(image.size, start + most));
    process.stdout.write(output === 'json' ? jsonRows(entries) : humanRows(entries));
    return 0;
  });
}

function entriesOf(image: Image, start: number, end: number): Entry[] {
  const entries: Entry[] = [];
  for (let at = start; at < end;) {
    const status = statusOf(image, at, end - at);
    const last = entries.at(-1);
    const follows = last !== undefined && last.kind === status.kind && last.depth === status.depth && last.present === status.present
      && last.image === status.image && last.extent.compressed === status.extent.compressed
      && (last.extent.offset === undefined ? status.extent.offset === undefined : last.extent.offset + last.length === status.extent.offset);
    if (follows) entries[entries.length - 1] = { ...last, length: last.length + status.length };
    else entries.push({ ...status, start: at });
    at += status.length;
  }
  return entries;
}

function jsonRows(entries: readonly Entry[]): string {
  const rows = entries.map(({ start, length, depth, kind, present, extent }) => {
    const data = kind === 'data';
    return `{ "start": ${start}, "length": ${length}, "depth": ${depth}, "present": ${present && extent.kind !== 'hole'}, "zero": ${!data}, "data": ${data}`
      + `${extent.offset === undefined ? '' : `, "offset": ${extent.offset}`}}`;
  });
  return `[${rows.join(',\n')}]\n`;
}

const hex = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`).padEnd(16);

function humanRows(entries: readonly Entry[]): string {
  const rows = entries.filter(({ kind }) => kind === 'data').map(({ start, length, extent, image }) => {
    if (extent.offset === undefined) throw new ImgError('File contains external, encrypted or compressed clusters.');
    return `${hex(start)}${hex(length)}${hex(extent.offset)}${image.file.path}`;
  });
  return `${['Offset          Length          Mapped to       File', ...rows].join('\n')}\n`;
}
