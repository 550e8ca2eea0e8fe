/**
 * Text and key names to keyboard events, on the US layout. Key names are QEMU's (`sendkey`): `a`, `ret`, `ctrl-alt-delete`.
 * In --type text, `{name}` presses a key or combination, `\n` is Enter, `\t` Tab, `{{` a brace.
 */

/** Keys held together, in the order they are pressed. */
export type Chord = readonly string[];

const SHIFTED: Record<string, string> = {
  '!': '1', '@': '2', '#': '3', $: '4', '%': '5', '^': '6', '&': '7', '*': '8', '(': '9', ')': '0', _: 'minus', '+': 'equal',
  '{': 'bracket_left', '}': 'bracket_right', '|': 'backslash', ':': 'semicolon', '"': 'apostrophe', '~': 'grave_accent',
  '<': 'comma', '>': 'dot', '?': 'slash',
};
const PLAIN: Record<string, string> = {
  '-': 'minus', '=': 'equal', '[': 'bracket_left', ']': 'bracket_right', '\\': 'backslash', ';': 'semicolon', "'": 'apostrophe',
  '`': 'grave_accent', ',': 'comma', '.': 'dot', '/': 'slash', ' ': 'spc', '\n': 'ret', '\r': 'ret', '\t': 'tab', '\b': 'backspace',
  '\x1b': 'esc', '\x7f': 'backspace',
};
const ALIASES: Record<string, string> = {
  enter: 'ret', return: 'ret', space: 'spc', escape: 'esc', del: 'delete', ins: 'insert', pageup: 'pgup', pagedown: 'pgdn', control: 'ctrl',
};

/** The keys for a character, or undefined if the layout has none. */
export function chordOf(character: string): Chord | undefined {
  if (/^[a-z0-9]$/.test(character)) return [character];
  if (/^[A-Z]$/.test(character)) return ['shift', character.toLowerCase()];
  if (character in PLAIN) return [PLAIN[character]!];
  if (character in SHIFTED) return ['shift', SHIFTED[character]!];
  const code = character.charCodeAt(0);
  return code >= 1 && code <= 26 ? ['ctrl', String.fromCharCode(96 + code)] : undefined;
}

/**
 * A combination like `ctrl-alt-delete`.
 * @throws Error naming the key if one is unknown to `isKey`.
 */
export function parseChord(name: string, isKey: (key: string) => boolean): Chord {
  const keys = name.toLowerCase().split('-').map((key) => ALIASES[key] ?? key).map((key) => PLAIN[key] ?? key);
  for (const key of keys) if (!isKey(key)) throw new Error(`unknown key '${key}'`);
  return keys;
}

/**
 * The keys for a --type text.
 * @throws Error for a character that the layout does not have, or an unknown name in braces.
 */
export function parseTyping(text: string, isKey: (key: string) => boolean): Chord[] {
  const chords: Chord[] = [];
  const add = (character: string): void => {
    const chord = chordOf(character);
    if (chord === undefined) throw new Error(`no key for '${character}'`);
    chords.push(chord);
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!, next = text[at + 1];
    if (character === '\\' && next !== undefined && 'ntr\\eb'.includes(next)) {
      add({ n: '\n', t: '\t', r: '\r', e: '\x1b', b: '\b', '\\': '\\' }[next]!);
      at++;
    } else if (character === '{' && next === '{') {
      add('{');
      at++;
    } else if (character === '{') {
      const end = text.indexOf('}', at);
      const name = end < 0 ? '' : text.slice(at + 1, end);
      // A brace that names no key is just a brace: C programs are typed without doubling them.
      if (!/^[a-z0-9_]+(-[a-z0-9_]+)*$/i.test(name) || !namesKeys(name, isKey)) add('{');
      else {
        chords.push(parseChord(name, isKey));
        at = end;
      }
    } else add(character);
  }
  return chords;
}

function namesKeys(name: string, isKey: (key: string) => boolean): boolean {
  try {
    parseChord(name, isKey);
    return true;
  } catch {
    return false;
  }
}
