/**
 * A terminal's input bytes as keys: plain characters, control characters, and the escape sequences that xterm sends
 * (xterm control sequences, "PC-style function keys").
 */

export type TerminalInput =
  | { readonly kind: 'character'; readonly character: string }
  /** A key chord by QEMU names, e.g. ['shift', 'f1']. */
  | { readonly kind: 'keys'; readonly keys: readonly string[] };

const FINAL: Record<string, string> = {
  A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', P: 'f1', Q: 'f2', R: 'f3', S: 'f4',
};
const NUMBERED: Record<string, string> = {
  1: 'home', 2: 'insert', 3: 'delete', 4: 'end', 5: 'pgup', 6: 'pgdn', 7: 'home', 8: 'end',
  11: 'f1', 12: 'f2', 13: 'f3', 14: 'f4', 15: 'f5', 17: 'f6', 18: 'f7', 19: 'f8', 20: 'f9', 21: 'f10', 23: 'f11', 24: 'f12',
};

/** xterm's modifier parameter: 1 + (1 shift, 2 alt, 4 ctrl). */
function modifiers(parameter: string | undefined): string[] {
  const bits = Number(parameter ?? 1) - 1;
  return [...((bits & 4) !== 0 ? ['ctrl'] : []), ...((bits & 2) !== 0 ? ['alt'] : []), ...((bits & 1) !== 0 ? ['shift'] : [])];
}

/** Splits one chunk of terminal input. A lone ESC is the Escape key; ESC and a character are Alt and that character. */
export function parseTerminalInput(chunk: string): TerminalInput[] {
  const found: TerminalInput[] = [];
  for (let at = 0; at < chunk.length; ) {
    const rest = chunk.slice(at);
    const sequence = /^\x1b(?:\[|O)(?:(\d*)(?:;(\d+))?)([A-Za-z~])/.exec(rest);
    if (sequence !== null) {
      const [whole, first, second, final] = sequence;
      const key = final === '~' ? NUMBERED[first!] : final === 'Z' ? 'tab' : FINAL[final!];
      if (key !== undefined) found.push({ kind: 'keys', keys: [...(final === 'Z' ? ['shift'] : modifiers(second)), key] });
      at += whole.length;
    } else if (rest[0] === '\x1b' && rest.length > 1 && rest[1] !== '\x1b') {
      found.push({ kind: 'keys', keys: ['alt'] }, { kind: 'character', character: rest[1]! });
      at += 2;
    } else {
      const character = String.fromCodePoint(rest.codePointAt(0)!);
      found.push({ kind: 'character', character });
      at += character.length;
    }
  }
  return found;
}
