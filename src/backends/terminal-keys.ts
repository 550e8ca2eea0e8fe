/**
 * A terminal's input bytes as keys: plain characters, control characters, and the escape sequences that xterm sends
 * (xterm control sequences, "PC-style function keys"), with the Linux console's F1-F5.
 */

export type TerminalInput =
  /** A character, with Alt held if ESC came before it. */
  | { readonly kind: 'character'; readonly character: string; readonly alt: boolean }
  /** A key chord by QEMU names, e.g. ['shift', 'f1']. */
  | { readonly kind: 'keys'; readonly keys: readonly string[] };

const FINAL: Record<string, string> = {
  A: 'up', B: 'down', C: 'right', D: 'left', E: 'kp_5', H: 'home', F: 'end', M: 'kp_enter', P: 'f1', Q: 'f2', R: 'f3', S: 'f4',
};
const NUMBERED: Record<string, string> = {
  1: 'home', 2: 'insert', 3: 'delete', 4: 'end', 5: 'pgup', 6: 'pgdn', 7: 'home', 8: 'end',
  11: 'f1', 12: 'f2', 13: 'f3', 14: 'f4', 15: 'f5', 17: 'f6', 18: 'f7', 19: 'f8', 20: 'f9', 21: 'f10', 23: 'f11', 24: 'f12',
};
const LINUX_CONSOLE: Record<string, string> = { A: 'f1', B: 'f2', C: 'f3', D: 'f4', E: 'f5' };

const SEQUENCE = /^\x1b(?:\[\[([A-E])|[[O](?:(\d*)(?:;(\d+))?)([A-Za-z~]))/;
/** The beginning of such a sequence, or of nothing yet. */
const UNFINISHED = /^\x1b(?:\[\[?[\d;]*|O[\d;]*)?$/;

/** xterm's modifier parameter: 1 + (1 shift, 2 alt, 4 ctrl). */
function modifiers(parameter: string | undefined): string[] {
  const bits = Number(parameter ?? 1) - 1;
  return [...((bits & 4) !== 0 ? ['ctrl'] : []), ...((bits & 2) !== 0 ? ['alt'] : []), ...((bits & 1) !== 0 ? ['shift'] : [])];
}

function keysOf([, console, first, second, final]: RegExpExecArray): string[] {
  if (console !== undefined) return [LINUX_CONSOLE[console]!];
  if (final === 'Z') return ['shift', 'tab'];
  const key = final === '~' ? NUMBERED[first!] : FINAL[final!];
  return key === undefined ? [] : [...modifiers(second), key];
}

/** Input that comes in pieces: an escape sequence may be cut in two. */
export class TerminalKeys {
  #rest = '';

  /** An escape sequence has begun; if nothing follows within some milliseconds, flush() gives what it is. */
  get waiting(): boolean {
    return this.#rest !== '';
  }

  /** The keys in the next piece of input. */
  push(chunk: string): TerminalInput[] {
    const found: TerminalInput[] = [];
    let rest = this.#rest + chunk;
    while (rest !== '' && !UNFINISHED.test(rest)) rest = rest.slice(take(rest, found));
    this.#rest = rest;
    return found;
  }

  /** What has come of a sequence that does not go on: Escape, and the characters after it. */
  flush(): TerminalInput[] {
    const found: TerminalInput[] = [];
    let rest = this.#rest;
    this.#rest = '';
    while (rest !== '') rest = rest.slice(take(rest, found));
    return found;
  }
}

/** Takes the first key of `rest`; returns how long it was. ESC and a character are Alt and that character. */
function take(rest: string, found: TerminalInput[]): number {
  const sequence = SEQUENCE.exec(rest);
  if (sequence !== null) {
    const keys = keysOf(sequence);
    if (keys.length > 0) found.push({ kind: 'keys', keys });
    return sequence[0].length;
  }
  const alt = rest[0] === '\x1b' && rest.length > 1 && rest[1] !== '\x1b';
  const character = String.fromCodePoint(rest.codePointAt(alt ? 1 : 0)!);
  found.push({ kind: 'character', character, alt });
  return character.length + (alt ? 1 : 0);
}
