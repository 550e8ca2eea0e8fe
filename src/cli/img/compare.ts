/** tcg86-img compare */
import type { ChainOptions } from '../../backends/block/chain.ts';
import { ImageError } from '../../backends/block/error.ts';
import type { Image } from '../../backends/block/image.ts';
import { ImgError, misuse, parseOptions } from './arguments.ts';
import { checkCache, withImage } from './images.ts';
import { Progress } from './progress.ts';
import { statusOf } from './status.ts';

/** Exit codes: different, cannot be opened, cannot be read. */
const DIFFERENT = 1, UNOPENED = 2, UNREAD = 4;
const CHUNK = 2 * 2 ** 20;

export function compare(words: readonly string[]): number {
  const { options, operands } = parseOptions(words, 'f:F:T:pqsU', ['force-share', 'image-opts', 'object=']);
  const [first, second, extra] = operands;
  if (first === undefined || second === undefined || extra !== undefined) misuse('Expecting two image file names', UNOPENED);
  checkCache(options.get('T'), 'Invalid source cache option');
  const how = (format: string | undefined): ChainOptions => ({ format, readOnly: true, noLocks: options.has('U') || options.has('force-share') });
  return withImage(first, how(options.get('f')), (a) => withImage(second, how(options.get('F')), (b) => report(a, b, options), UNOPENED), UNOPENED);
}

function report(a: Image, b: Image, options: ReadonlyMap<string, string>): number {
  const say = (text: string): void => {
    if (!options.has('q')) process.stdout.write(`${text}\n`);
  };
  if (a.size !== b.size && options.has('s')) {
    say('Strict mode: Image size mismatch!');
    return DIFFERENT;
  }
  const progress = new Progress(options.has('p') && !options.has('q'));
  const difference = firstDifference(a, b, options.has('s'), progress);
  progress.end();
  if (a.size !== b.size) say('Warning: Image size mismatch!');
  if (difference === null) {
    say('Images are identical.');
    return 0;
  }
  say(difference);
  return DIFFERENT;
}

/** null: there is none. */
function firstDifference(a: Image, b: Image, strict: boolean, progress: Progress): string | null {
  const size = Math.max(a.size, b.size);
  for (let at = 0; at < size;) {
    const within = [a, b].filter((image) => at < image.size);
    const statuses = within.map((image) => statusOf(image, at, image.size - at));
    const some = statuses.some(({ kind }) => kind === 'data');
    const length = Math.min(...statuses.map((status) => status.length), some ? CHUNK : Infinity);
    if (strict && statuses.length === 2 && (statuses[0]!.kind !== statuses[1]!.kind || statuses[0]!.present !== statuses[1]!.present)) return `Strict mode: Offset ${at} block status mismatch!`;
    if (some) {
      const [one, two] = [a, b].map((image) => bytesOf(image, at, length));
      const where = Buffer.compare(one!, two!) === 0 ? -1 : one!.findIndex((byte, index) => byte !== two![index]);
      // Sectors are what is compared.
      if (where >= 0) return `Content mismatch at offset ${at + where - where % 512}!`;
    }
    at += length;
    progress.at(at / size);
  }
  return null;
}

/** What lies past the end of the shorter image must be zeros. */
function bytesOf(image: Image, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length), present = Math.max(0, Math.min(length, image.size - offset));
  if (present === 0) return bytes;
  try {
    image.read(offset, bytes.subarray(0, present));
  } catch (error) {
    if (error instanceof ImageError) throw new ImgError(`Error while reading offset ${offset} of ${image.file.path}: ${error.reason}`, UNREAD);
    throw error;
  }
  return bytes;
}
