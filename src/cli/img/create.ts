/** tcg86-img create */
import { createImage, createProblem } from '../../backends/block/create.ts';
import { ImageError } from '../../backends/block/error.ts';
import { ImgError, misuse, parseOptions } from './arguments.ts';
import { backingSize, helpWanted, parseSettings, setBacking, shownValues } from './settings.ts';
import { parseBytes } from './text.ts';

export function create(words: readonly string[]): number {
  const { options, settings, operands } = parseOptions(words, 'f:F:b:o:qu', []);
  const [path, sizeWord, extra] = operands;
  helpWanted(options.get('f') ?? 'raw', settings);
  if (path === undefined) misuse('Expecting image file name');
  if (extra !== undefined) misuse(`Unexpected argument: ${extra}`);
  const format = options.get('f') ?? 'raw';
  const values = parseSettings(format, path, settings);
  setBacking(values, format, options.get('b'), options.get('F'), path);
  let size = sizeWord === undefined ? Number(values.get('size') ?? NaN) : parseBytes(sizeWord);
  if (size === null) throw new ImgError('Invalid image size specified. You may use k, M, G, T, P or E suffixes for \nkilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.');
  if (values.has('backing_file') && !options.has('u')) {
    const present = backingSize(path, values);
    if (Number.isNaN(size)) size = present;
  }
  if (Number.isNaN(size)) throw new ImgError(`${path}: Image creation needs a size parameter`);
  if (!options.has('q')) process.stdout.write(`Formatting '${path}', fmt=${format} ${shownValues(format, size, values)}\n`);
  const rounded = format === 'raw' || format === 'vdi' ? size : Math.ceil(size / 512) * 512;
  const problem = createProblem(format, rounded, values);
  if (problem !== null) throw new ImgError(`${path}: ${problem}`);
  try {
    createImage(format, path, rounded, values);
  } catch (error) {
    if (error instanceof ImageError) throw new ImgError(`${path}: Could not create '${error.path}': ${error.reason}`);
    throw error;
  }
  return 0;
}
