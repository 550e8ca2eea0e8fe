/** tcg86-img snapshot */
import { ImageError } from '../../backends/block/error.ts';
import type { Image, Snapshot } from '../../backends/block/image.ts';
import { ImgError, misuse, parseOptions } from './arguments.ts';
import { withImage } from './images.ts';
import { clockText, dateText, sizeText } from './text.ts';

const ACTIONS = ['l', 'a', 'c', 'd'] as const;
const FAILURES = { l: '', a: 'Could not apply snapshot', c: 'Could not create snapshot', d: 'Could not delete snapshot' } as const;

export function snapshot(words: readonly string[]): number {
  const { options, operands: [path, extra] } = parseOptions(words, 'la:c:d:qUf:', ['force-share', 'image-opts']);
  const asked = ACTIONS.filter((action) => options.has(action));
  if (asked.length > 1) misuse("Cannot mix '-l', '-a', '-c', '-d'");
  if (path === undefined || extra !== undefined) misuse('Expecting one image file name');
  const action = asked[0] ?? 'l', name = options.get(action) ?? '';
  const how = { readOnly: action === 'l', format: options.get('f'), noLocks: action === 'l' && (options.has('U') || options.has('force-share')) };
  return withImage(path, how, (image) => done(image, action, name));
}

function done({ snapshots, format }: Image, action: typeof ACTIONS[number], name: string): number {
  try {
    if (action === 'l') {
      const list = snapshots?.list() ?? [];
      if (list.length > 0) process.stdout.write(`Snapshot list:\n${snapshotTable(list).join('\n')}\n`);
      return 0;
    }
    if (snapshots === undefined) throw new ImgError(`${FAILURES[action]} '${name}': image format '${format}' has no snapshots`);
    if (action === 'c') snapshots.create(name, new Date());
    else if (action === 'a') snapshots.apply(name);
    else snapshots.delete(name);
    return 0;
  } catch (error) {
    if (error instanceof ImageError) throw new ImgError(`${FAILURES[action]} '${name}': ${error.reason}`);
    throw error;
  }
}

/** The rows, with their heading. */
export function snapshotTable(list: readonly Snapshot[]): string[] {
  const row = (id: string, tag: string, size: string, date: string, clock: string, icount: string): string =>
    id.padEnd(10) + tag.padEnd(17) + size.padStart(8) + date.padStart(20) + clock.padStart(13) + icount.padStart(11);
  return [
    row('ID', 'TAG', 'VM SIZE', 'DATE', 'VM CLOCK', 'ICOUNT'),
    ...list.map(({ id, name, stateSize, seconds, clock, icount }) => row(id, name, sizeText(stateSize), dateText(seconds), clockText(clock), icount < 0n ? '' : String(icount))),
  ];
}
