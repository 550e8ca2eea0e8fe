/** Arguments of a command as getopt(3) reads them: options and operands in any order, `-fqcow2`, `-pq`, `--output=json`, `--`. */

/** Printed as one or more lines `tcg86-img: ...`. */
export class ImgError extends Error {
  override readonly name = 'ImgError';
  readonly code: number;
  /** @param code the command's exit code */
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

const HINT = "\nTry 'tcg86-img --help' for more information";

/** @throws ImgError with the hint that wrong use gets */
export function misuse(message: string, code = 1): never {
  throw new ImgError(message + HINT, code);
}

export interface Arguments {
  /** Options that were given; a letter or a long name, with its last value, '' for a switch. */
  readonly options: ReadonlyMap<string, string>;
  /** All values of -o. */
  readonly settings: readonly string[];
  readonly operands: readonly string[];
}

/**
 * @param short letters, with a colon behind those that take a value
 * @param long names, with an equals sign behind those that take a value
 */
export function parseOptions(words: readonly string[], short: string, long: readonly string[]): Arguments {
  const options = new Map<string, string>();
  const settings: string[] = [], operands: string[] = [];
  const queue = [...words];
  const set = (name: string, value: string): void => {
    options.set(name, value);
    if (name === 'o') settings.push(value);
  };
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') operands.push(...queue.splice(0));
    else if (word.startsWith('--')) {
      const [name, value] = splitLong(word.slice(2));
      const known = long.find((one) => one.replace('=', '') === name);
      if (known === undefined) misuse(`unrecognized option '--${name}'`);
      set(name, known.endsWith('=') ? value ?? queue.shift() ?? misuse(`missing argument for option '--${name}'`) : '');
    } else if (word.startsWith('-') && word !== '-') {
      for (let at = 1; at < word.length; at++) {
        const letter = word[at]!, place = letter === ':' ? -1 : short.indexOf(letter);
        if (place < 0) misuse(`unrecognized option '-${letter}'`);
        if (short[place + 1] !== ':') {
          set(letter, '');
          continue;
        }
        set(letter, at + 1 < word.length ? word.slice(at + 1) : queue.shift() ?? misuse(`missing argument for option '-${letter}'`));
        break;
      }
    } else operands.push(word);
  }
  return { options, settings, operands };
}

function splitLong(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** human or json. */
export function outputFormat({ options }: Arguments): 'human' | 'json' {
  const value = options.get('output') ?? 'human';
  if (value !== 'human' && value !== 'json') throw new ImgError('--output must be used with human or json as argument.');
  return value;
}
