/** tcg86-img convert */
import type { ImageChain } from '../../backends/block/chain.ts';
import { createImage, createProblem } from '../../backends/block/create.ts';
import { ImageError } from '../../backends/block/error.ts';
import { identityOf } from '../../backends/block/host-file.ts';
import { isZero } from '../../backends/block/image.ts';
import type { Image } from '../../backends/block/image.ts';
import { VmdkImage } from '../../backends/block/vmdk/vmdk.ts';
import { ImgError, misuse, parseOptions } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { checkCache, openForCommand, withImage } from './images.ts';
import { Progress } from './progress.ts';
import { backingSize, helpWanted, parseSettings, setBacking } from './settings.ts';
import { statusOf } from './status.ts';
import { parseBytes } from './text.ts';

/** Bytes that are copied at a time. */
const CHUNK = 2 * 2 ** 20;
const SECTOR = 512, MAX_SPARSE = 2 ** 24;

interface Plan {
  readonly sources: readonly Image[];
  readonly size: number;
  /** Zeros of this many bytes are not written; 0: all is. */
  readonly sparse: number;
  readonly compressed: boolean;
  /** Nothing is there but zeros. */
  readonly targetIsZero: boolean;
  /** Size of the target's backing image, which has what the source does not store; null: there is none. */
  readonly targetBacking: number | null;
}

export function convert(words: readonly string[]): number {
  const parsed = parseOptions(words, 'f:O:B:F:cCpqno:l:S:t:T:m:r:UW', ['salvage', 'target-is-zero', 'force-share', 'image-opts', 'target-image-opts', 'bitmaps', 'object=']);
  const { options, settings, operands } = parsed;
  for (const name of ['image-opts', 'target-image-opts', 'bitmaps', 'object', 'salvage', 'r']) {
    if (options.has(name)) throw new ImgError(`option '${name.length === 1 ? '-' : '--'}${name}' is not supported`);
  }
  helpWanted(options.get('O') ?? 'raw', settings);
  if (operands.length < 2) throw new ImgError('Must specify image file name');
  const target = operands.at(-1)!;
  checkCache(options.get('t'));
  checkCache(options.get('T'), 'Invalid source cache option');
  const chains: ImageChain[] = [];
  const progress = new Progress(options.has('p') && !options.has('q'));
  try {
    for (const path of operands.slice(0, -1)) chains.push(openForCommand(path, { format: options.get('f'), readOnly: true, noLocks: options.has('U') || options.has('force-share') }));
    const sources = chains.map(({ image }) => sourceOf(image, options.get('l')));
    const code = toTarget(parsed, sources, target, progress);
    progress.end();
    return code;
  } finally {
    for (const chain of chains) chain.close();
  }
}

/** The disk, or its snapshot: -l ID_OR_NAME, or -l snapshot.id=ID,snapshot.name=NAME. */
function sourceOf(image: Image, wanted: string | undefined): Image {
  if (wanted === undefined) return image;
  const name = /^snapshot\.(?:id|name)=([^,]*)/.exec(wanted)?.[1] ?? wanted;
  try {
    if (image.snapshots !== undefined) return image.snapshots.open(name);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  throw new ImgError("Failed to load snapshot: Can't find snapshot");
}

function toTarget({ options, settings }: Arguments, sources: readonly Image[], target: string, progress: Progress): number {
  const format = options.get('O') ?? 'raw', isNew = !options.has('n'), compressed = options.has('c');
  const size = sources.reduce((sum, source) => sum + Math.ceil(source.size / SECTOR) * SECTOR, 0);
  const sparse = options.has('S') ? parseBytes(options.get('S')!) : 4096;
  if (sparse === null || sparse % SECTOR !== 0 || sparse > MAX_SPARSE) {
    throw new ImgError(`Invalid buffer size for sparse output specified. Valid sizes are multiples of ${SECTOR} up to ${MAX_SPARSE}. Select 0 to disable sparse detection (fully allocates output).`);
  }
  if (!isNew && (settings.length > 0 || options.has('B'))) throw new ImgError('-o and -B have no meaning with -n: the target is there already');
  const values = isNew ? settingsOf(format, target, settings, options) : new Map<string, string>();
  const streamed = values.get('subformat') === 'streamOptimized' && format === 'vmdk';
  if (compressed && !['qcow2', 'vmdk'].includes(format)) throw new ImgError('Compression not supported for this file format');
  if (compressed && values.get('preallocation') !== undefined && values.get('preallocation') !== 'off') throw new ImgError('Compression and preallocation not supported at the same time');
  const targetBacking = values.has('backing_file') ? backingSize(target, values) : null;
  checkNoSource(target, sources);
  if (isNew) make(format, target, size, values);
  const unsafe = (options.get('t') ?? 'unsafe') === 'unsafe';
  return withImage(target, { format: isNew ? format : options.get('O'), unsafe, noBacking: targetBacking === null && isNew }, (image) => {
    if (image.size < size) throw new ImgError('output file is smaller than input file');
    const plan: Plan = {
      sources, size, sparse, targetIsZero: isNew ? targetBacking === null : options.has('target-is-zero'), targetBacking,
      // A stream can be made in no other way.
      compressed: compressed && image.writeCompressed !== undefined && !(image instanceof VmdkImage && !image.streamed) || streamed,
    };
    copy(plan, image, progress);
    image.flush();
    return 0;
  });
}

/** A copy onto itself, or onto what it is made of, would destroy it. */
function checkNoSource(target: string, sources: readonly Image[]): void {
  const identity = identityOf(target);
  for (const source of sources) {
    for (let image: Image | null = source; image !== null; image = image.backing) {
      if (image.files.some((file) => file.identity === identity)) throw new ImgError(`${target}: the target is a source too`);
    }
  }
}

function settingsOf(format: string, target: string, settings: readonly string[], options: ReadonlyMap<string, string>): Map<string, string> {
  let values: Map<string, string>;
  try {
    values = parseSettings(format, target, settings);
  } catch (error) {
    // The name is part of create's messages only.
    if (error instanceof ImgError) throw new ImgError(error.message.replace(`${target}: `, ''));
    throw error;
  }
  setBacking(values, format, options.get('B'), options.get('F'));
  if (values.has('backing_file') && !values.has('backing_fmt')) misuse('-B requires -F: the format of a backing file must be given');
  return values;
}

function make(format: string, target: string, size: number, values: ReadonlyMap<string, string>): void {
  const problem = createProblem(format, size, values);
  if (problem !== null) throw new ImgError(`${target}: error while converting ${format}: ${problem}`);
  try {
    createImage(format, target, size, values);
  } catch (error) {
    if (error instanceof ImageError) throw new ImgError(`${target}: error while converting ${format}: Could not create '${error.path}': ${error.reason}`);
    throw error;
  }
}

function copy(plan: Plan, target: Image, progress: Progress): void {
  let start = 0;
  const step = plan.compressed ? target.clusterSize ?? CHUNK : CHUNK;
  for (const source of plan.sources) {
    for (let at = 0; at < source.size;) {
      const length = copyPart(plan, source, at, target, start + at, step);
      at += length;
      progress.at((start + at) / plan.size);
    }
    start += Math.ceil(source.size / SECTOR) * SECTOR;
  }
}

const failed = (doing: string, offset: number, error: unknown): never => {
  if (error instanceof ImageError) throw new ImgError(`error while ${doing} at byte ${offset}: ${error.message}`);
  throw error;
};

/** Copies what is stored in one way, data in parts that end at multiples of `step`; returns the bytes that are done. */
function copyPart(plan: Plan, source: Image, from: number, target: Image, to: number, step: number): number {
  try {
    const status = statusOf(source, from, source.size - from);
    const { kind, depth, present } = status;
    const below = plan.targetBacking !== null && (depth > 0 || !present) && from < plan.targetBacking;
    // What is in the target's backing image already.
    if (below) return Math.min(status.length, plan.targetBacking! - from);
    // A cluster is compressed as a whole.
    const zeros = !plan.compressed || from + status.length === source.size ? status.length : status.length - (to + status.length) % step;
    if (kind === 'zero' && plan.sparse > 0 && zeros > 0) {
      if (!plan.targetIsZero) writeTarget(to, () => target.writeZeroes(to, zeros));
      return zeros;
    }
    const most = Math.min(step - to % step, source.size - from);
    const part = new Uint8Array(plan.compressed ? most : Math.min(most, status.length));
    source.read(from, part);
    writeTarget(to, () => (plan.compressed ? writeCompressed(plan, target, to, part) : writeData(plan, target, to, part)));
    return part.length;
  } catch (error) {
    return failed('reading', from, error);
  }
}

function writeTarget(offset: number, write: () => void): void {
  try {
    write();
  } catch (error) {
    failed('writing', offset, error);
  }
}

function writeCompressed({ targetIsZero }: Plan, target: Image, offset: number, data: Uint8Array): void {
  if (targetIsZero && isZero(data)) return;
  target.writeCompressed!(offset, data);
}

/** Writes what is not zero, in runs of whole sparse blocks. */
function writeData({ sparse, targetIsZero }: Plan, target: Image, offset: number, data: Uint8Array): void {
  if (sparse === 0) {
    target.write(offset, data);
    return;
  }
  for (let at = 0; at < data.length;) {
    const zero = isZero(data.subarray(at, at + sparse));
    let end = at + sparse;
    while (end < data.length && isZero(data.subarray(end, end + sparse)) === zero) end += sparse;
    end = Math.min(end, data.length);
    if (!zero) target.write(offset + at, data.subarray(at, end));
    else if (!targetIsZero) target.writeZeroes(offset + at, end - at);
    at = end;
  }
}
