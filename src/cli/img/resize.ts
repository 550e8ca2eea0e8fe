/** tcg86-img resize */
import { ImageError } from '../../backends/block/error.ts';
import { ImgError, misuse, parseOptions } from './arguments.ts';
import { withImage } from './images.ts';
import { sizeError } from './settings.ts';
import { parseBytes } from './text.ts';

export function resize(words: readonly string[]): number {
  // A size with a sign must not be taken for an option.
  const last = words.at(-1) ?? '', signed = /^[+-]/.test(last) && /^[+-]\d/.test(last);
  const { options, operands } = parseOptions(signed ? words.slice(0, -1).filter((word) => word !== '--') : words, 'f:q', ['shrink', 'preallocation=', 'image-opts']);
  const [path, sizeWord, extra] = signed ? [...operands, last] : operands;
  if (path === undefined || sizeWord === undefined) misuse('Not enough arguments');
  if (extra !== undefined) misuse('Expecting image file name and size');
  const preallocation = options.get('preallocation') ?? 'off';
  if (preallocation !== 'off') throw new ImgError(`Invalid preallocation mode '${preallocation}' (only off is supported)`);
  const amount = parseBytes(sizeWord.replace(/^[+-]/, ''));
  if (amount === null) throw new ImgError(sizeError('size'));
  return withImage(path, { format: options.get('f') }, (image) => {
    const wanted = sizeWord.startsWith('+') ? image.size + amount : sizeWord.startsWith('-') ? image.size - amount : amount;
    if (wanted <= 0) throw new ImgError('New image size must be positive');
    const size = image.format === 'raw' ? wanted : Math.ceil(wanted / 512) * 512;
    if (size < image.size && !options.has('shrink')) {
      throw new ImgError('Use the --shrink option to perform a shrink operation.\n'
        + "tcg86-img: warning: Shrinking an image will delete all data beyond the shrunken image's end. Before performing such an operation, make sure there is no important data there.");
    }
    if (image.resize === undefined) throw new ImgError('Image format driver does not support resize');
    try {
      image.resize(size);
      image.flush();
    } catch (error) {
      if (error instanceof ImageError) throw new ImgError(`Could not resize image: ${error.reason}`);
      throw error;
    }
    if (!options.has('q')) process.stdout.write('Image resized.\n');
    return 0;
  });
}
