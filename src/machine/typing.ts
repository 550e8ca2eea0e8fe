/**
 * Text and key names to keyboard events, on the US layout. Key names are QEMU's (`sendkey`): `a`, `ret`, `ctrl-alt-delete`.
 * In --type text, `{f1}` or `{ctrl-d}` presses a key or combination, `\n` is Enter, `\t` Tab, `\e` Escape, `\b` Backspace,
 * `\\` a backslash, `\{` a brace. Braces around anything but a word stand for themselves, so that C programs need little care.
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
/** Control characters that are no letters, and the key that makes them with Ctrl. */
const CONTROLS: Record<string, Chord> = { '\0': ['spc'], '\x1c': ['backslash'], '\x1d': ['bracket_right'], '\x1e': ['shift', '6'], '\x1f': ['shift', 'minus'] };
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
  if (code >= 1 && code <= 26) return ['ctrl', String.fromCharCode(96 + code)];
  return character in CONTROLS ? ['ctrl', ...CONTROLS[character]!] : undefined;
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

/** What follows a backslash, and the character that both stand for. */
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', e: '\x1b', b: '\b', '\\': '\\', '{': '{' };

/**
 * The keys for a --type text.
 * @throws Error for a character that the layout does not have, or a word in braces that is no key.
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
    if (character === '\\' && next !== undefined && next in ESCAPES) {
      add(ESCAPES[next]!);
      at++;
    } else if (character === '{') {
      const end = text.indexOf('}', at);
      const name = end < 0 ? '' : text.slice(at + 1, end);
      if (isName(name) && text[at - 1] !== '$') {
        try {
          chords.push(parseChord(name, isKey));
        } catch (error) {
          throw new Error(`{${name}}: ${(error as Error).message} (\\{ is a brace)`);
        }
        at = end;
      } else add('{');
    } else add(character);
  }
  return chords;
}

/** Is this what `{name}` presses? `{a}` and `{10}` are no keys but text. */
const isName = (name: string): boolean => /^[a-z0-9_]{2,}(-[a-z0-9_]+)*$/i.test(name) && !/^\d+$/.test(name);
