/** tcg86-img check */
import type { CheckResult, Image, Repair } from '../../backends/block/image.ts';
import { ImageError } from '../../backends/block/error.ts';
import { ImgError, misuse, outputFormat, parseOptions } from './arguments.ts';
import { withImage } from './images.ts';
import { jsonText } from './text.ts';

/** Exit codes: damage, waste, not for this format. */
const CORRUPT = 2, LEAKS = 3, UNSUPPORTED = 63;

export function check(words: readonly string[]): number {
  const parsed = parseOptions(words, 'f:r:qUT:', ['output=', 'force-share', 'image-opts']);
  const { options, operands: [path, extra] } = parsed;
  if (path === undefined || extra !== undefined) misuse('Expecting one image file name');
  const output = outputFormat(parsed), quiet = options.has('q');
  const repair = options.get('r') ?? 'none';
  if (options.has('r') && repair !== 'leaks' && repair !== 'all') misuse(`Unknown option value for -r (expecting 'leaks' or 'all'): ${repair}`);
  const how = { format: options.get('f'), readOnly: repair === 'none', repairs: true, noBacking: true, noLocks: repair === 'none' && (options.has('U') || options.has('force-share')) };
  return withImage(path, how, (image) => checked(image, path, repair as Repair, output, quiet));
}

function checked(image: Image, path: string, repair: Repair, output: 'human' | 'json', quiet: boolean): number {
  try {
    if (image.check === undefined) throw new ImgError('This image format does not support checks', UNSUPPORTED);
    let result = image.check(repair);
    if (output === 'human') report(result, quiet);
    const fixed = { leaks: result.leaksFixed, corruptions: result.corruptionsFixed };
    if (fixed.leaks + fixed.corruptions > 0) {
      if (output === 'human' && !quiet) {
        process.stdout.write(`The following inconsistencies were found and repaired:\n\n    ${fixed.leaks} leaked clusters\n    ${fixed.corruptions} corruptions\n\nDouble checking the fixed image now...\n`);
      }
      result = image.check('none');
      if (output === 'human') report(result, quiet);
    }
    if (output === 'json') process.stdout.write(`${jsonText(jsonOf(result, fixed, path, image.format))}\n`);
    else if (!quiet) process.stdout.write(summary(result));
    return result.errors > 0 ? 1 : result.corruptions > 0 ? CORRUPT : result.leaks > 0 ? LEAKS : 0;
  } catch (error) {
    if (error instanceof ImageError) throw new ImgError(`Check failed: ${error.reason}`);
    throw error;
  }
}

function report({ messages }: CheckResult, quiet: boolean): void {
  if (!quiet && messages.length > 0) process.stderr.write(`${messages.join('\n')}\n`);
}

function summary({ corruptions, leaks, errors, clusters, end }: CheckResult): string {
  const percent = (part: number, whole: number): string => (part / whole * 100).toFixed(2);
  const lines: string[] = [];
  if (corruptions + leaks + errors === 0) lines.push('No errors were found on the image.');
  if (corruptions > 0) lines.push('', `${corruptions} errors were found on the image.`, 'Data may be corrupted, or further writes to the image may corrupt it.');
  if (leaks > 0) lines.push('', `${leaks} leaked clusters were found on the image.`, 'This means waste of disk space, but no harm to data.');
  if (errors > 0) lines.push('', `${errors} internal errors have occurred during the check.`);
  if (clusters !== undefined && clusters.total > 0 && clusters.allocated > 0) {
    const { total, allocated, fragmented, compressed } = clusters;
    lines.push(`${allocated}/${total} = ${percent(allocated, total)}% allocated, ${percent(fragmented, allocated)}% fragmented, ${percent(compressed, allocated)}% compressed clusters`);
  }
  if (end !== undefined && end > 0) lines.push(`Image end offset: ${end}`);
  return `${lines.join('\n')}\n`;
}

function jsonOf({ corruptions, leaks, errors, clusters, end }: CheckResult, fixed: { leaks: number; corruptions: number }, path: string, format: string): object {
  const some = (name: string, value: number | undefined): object => (value === undefined || value === 0 ? {} : { [name]: value });
  return {
    ...some('image-end-offset', end), ...some('compressed-clusters', clusters?.compressed), ...some('total-clusters', clusters?.total),
    ...some('corruptions', corruptions), ...some('corruptions-fixed', fixed.corruptions), 'check-errors': errors, ...some('leaks', leaks), ...some('leaks-fixed', fixed.leaks),
    ...some('allocated-clusters', clusters?.allocated), filename: path, format, ...some('fragmented-clusters', clusters?.fragmented),
  };
}
