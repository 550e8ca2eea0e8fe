/** Opening images for a command: messages and warnings as qemu-img has them. */
import { openChain } from '../../backends/block/chain.ts';
import type { ChainOptions, ImageChain } from '../../backends/block/chain.ts';
import { ImageError } from '../../backends/block/error.ts';
import { FORMAT_NAMES } from '../../backends/block/formats.ts';
import type { Image } from '../../backends/block/image.ts';
import { probedRawWarning } from '../../backends/block/open.ts';
import { ImgError } from './arguments.ts';

const CACHES = ['none', 'writeback', 'writethrough', 'directsync', 'unsafe'];

export function checkFormatName(format: string | undefined): void {
  if (format !== undefined && !FORMAT_NAMES.includes(format)) throw new ImgError(`Unknown file format '${format}'`);
}

/** What -t asks for. */
export function checkCache(mode: string | undefined, what = 'Invalid cache option'): void {
  if (mode !== undefined && !CACHES.includes(mode)) throw new ImgError(`${what}: ${mode}`);
}

/** The reason without the name, if that is the image's own. */
export const reasonFor = (path: string, error: ImageError): string => (error.path === path ? error.reason : `Could not open '${error.path}': ${error.reason}`);

/** @param code exit code if that fails. @throws ImgError */
export function openForCommand(path: string, options: ChainOptions, code = 1): ImageChain {
  try {
    checkFormatName(options.format);
    const chain = openChain(path, options);
    if (chain.probed && chain.image.format === 'raw' && options.readOnly !== true) process.stderr.write(`${probedRawWarning(path)}\n`);
    return chain;
  } catch (error) {
    if (error instanceof ImgError) throw new ImgError(error.message, code);
    if (!(error instanceof ImageError)) throw error;
    throw new ImgError(`Could not open '${path}': ${reasonFor(path, error)}`, code);
  }
}

/** Opens an image for `work` and closes it. What goes wrong in the work is told, else what goes wrong in closing. @throws ImgError */
export function withImage<T>(path: string, options: ChainOptions, work: (image: Image) => T, code = 1): T {
  const { image, close } = openForCommand(path, options, code);
  let result: T;
  try {
    result = work(image);
  } catch (error) {
    try {
      close();
    } catch (second) {
      if (!(second instanceof ImageError)) throw second;
    }
    throw error;
  }
  close();
  return result;
}
