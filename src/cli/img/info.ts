/** tcg86-img info */
import { resolveBacking } from '../../backends/block/chain.ts';
import { ImageError } from '../../backends/block/error.ts';
import type { Details, DetailValue, Image, Snapshot } from '../../backends/block/image.ts';
import { misuse, outputFormat, parseOptions } from './arguments.ts';
import { withImage } from './images.ts';
import { snapshotTable } from './snapshot.ts';
import { jsonText, sizeText } from './text.ts';

export function info(words: readonly string[]): number {
  const parsed = parseOptions(words, 'f:U', ['output=', 'backing-chain', 'force-share', 'image-opts']);
  const { options, operands: [path, extra] } = parsed;
  if (path === undefined || extra !== undefined) misuse('Expecting one image file name');
  const output = outputFormat(parsed);
  const chain: Info[] = [];
  for (let next: string | null = path, format = options.get('f'); next !== null;) {
    const name: string = next;
    const one: Info = withImage(name, { format, readOnly: true, noBacking: true, noLocks: options.has('U') || options.has('force-share') }, (image) => infoOf(image, name));
    chain.push(one);
    next = options.has('backing-chain') ? one.fullBackingName : null;
    format = one.backingFormat ?? undefined;
    if (chain.some(({ path: seen }) => seen === next)) misuse(`Backing file '${next}' creates an infinite loop.`);
  }
  process.stdout.write(output === 'human' ? chain.map(humanText).join('\n') : `${jsonText(options.has('backing-chain') ? chain.map(jsonOf) : jsonOf(chain[0]!))}\n`);
  return 0;
}

/** What is shown of an image; taken while it is open. */
interface Info {
  readonly path: string;
  readonly format: string;
  readonly size: number;
  readonly allocated: number;
  readonly clusterSize: number | null;
  readonly backingName: string | null;
  readonly fullBackingName: string | null;
  readonly backingFormat: string | null;
  readonly dirty: boolean;
  readonly snapshots: readonly Snapshot[];
  readonly details: Details;
}

function infoOf(image: Image, path: string): Info {
  const { format, size, clusterSize, backingName, backingFormat, dirty, files } = image;
  return {
    path, format, size, clusterSize, backingName, backingFormat, dirty, allocated: files.reduce((sum, file) => sum + file.allocated, 0),
    fullBackingName: backingName === null ? null : fullName(path, backingName), snapshots: image.snapshots?.list() ?? [], details: image.details?.() ?? [],
  };
}

function fullName(path: string, name: string): string {
  try {
    return resolveBacking(path, name);
  } catch (error) {
    if (error instanceof ImageError) return name;
    throw error;
  }
}

function humanText({ path, format, size, allocated, clusterSize, backingName, fullBackingName, backingFormat, dirty, snapshots, details }: Info): string {
  const lines = [
    `image: ${path}`, `file format: ${format}`, `virtual size: ${sizeText(size)} (${size} bytes)`, `disk size: ${sizeText(allocated)}`,
    ...(clusterSize === null ? [] : [`cluster_size: ${clusterSize}`]), ...(dirty ? ['cleanly shut down: no'] : []),
    ...(backingName === null ? [] : [`backing file: ${backingName}${fullBackingName === backingName ? '' : ` (actual path: ${fullBackingName})`}`]),
    ...(backingFormat === null ? [] : [`backing file format: ${backingFormat}`]),
    ...(snapshots.length === 0 ? [] : ['Snapshot list:', ...snapshotTable(snapshots)]),
    ...(details.length === 0 ? [] : ['Format specific information:', ...detailLines(details, '    ')]),
  ];
  return `${lines.join('\n')}\n`;
}

function detailLines(details: Details, indent: string): string[] {
  return details.flatMap(([title, , value]) => {
    if (typeof value !== 'object') return [`${indent}${title}: ${value}`];
    return [`${indent}${title}:`, ...value.flatMap((one, index) => (typeof one === 'string' ? [`${indent}    [${index}]: ${one}`] : [`${indent}    [${index}]:`, ...detailLines(one, `${indent}        `)]))];
  });
}

const plain = (value: DetailValue): unknown => (typeof value === 'object' ? value.map((one) => (typeof one === 'string' ? one : detailObject(one))) : value);
const detailObject = (details: Details): object => Object.fromEntries(details.map(([, key, value]) => [key, plain(value)]));

function jsonOf(one: Info): object {
  return {
    ...(one.snapshots.length === 0 ? {} : { snapshots: one.snapshots.map((snapshot) => ({
      ...(snapshot.icount < 0n ? {} : { icount: snapshot.icount }), 'vm-clock-nsec': snapshot.clock % 1_000_000_000n, name: snapshot.name, 'date-sec': snapshot.seconds,
      'date-nsec': snapshot.nanoseconds, 'vm-clock-sec': snapshot.clock / 1_000_000_000n, id: snapshot.id, 'vm-state-size': snapshot.stateSize,
    })) }),
    ...(one.backingFormat === null ? {} : { 'backing-filename-format': one.backingFormat }),
    'virtual-size': one.size, filename: one.path, ...(one.clusterSize === null ? {} : { 'cluster-size': one.clusterSize }), format: one.format, 'actual-size': one.allocated,
    ...(one.details.length === 0 ? {} : { 'format-specific': { type: one.format, data: detailObject(one.details) } }),
    ...(one.backingName === null ? {} : { 'full-backing-filename': one.fullBackingName, 'backing-filename': one.backingName }),
    'dirty-flag': one.dirty,
  };
}
