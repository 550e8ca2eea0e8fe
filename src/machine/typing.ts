/**
 * Text and key names to keyboard events. Key names are QEMU's (`sendkey`): `a`, `ret`, `ctrl-alt-delete`; they name keys by what the US
 * layout has there. Characters go by the layout that the guest uses.
 * In --type text, `{f1}` or `{ctrl-d}` presses a key or combination, `\n` is Enter, `\t` Tab, `\e` Escape, `\b` Backspace,
 * `\\` a backslash, `\{` a brace. Braces around anything but a word stand for themselves, so that C programs need little care.
 */
import { LAYOUT_KEYS, LAYOUTS } from './layouts.ts';
import type { LayoutRow } from './layouts.ts';

/** Keys held together, in the order they are pressed. */
export type Chord = readonly string[];

const ALT_GR = 'alt_r';
/** Keys that do the same on every layout. */
const FIXED: Readonly<Record<string, Chord>> = {
  ' ': ['spc'], '\n': ['ret'], '\r': ['ret'], '\t': ['tab'], '\b': ['backspace'], '\x1b': ['esc'], '\x7f': ['backspace'],
};
/** Control characters that are no letters, and what makes them with Ctrl. */
const CONTROLS: Readonly<Record<string, string>> = { '\0': ' ', '\x1c': '\\', '\x1d': ']', '\x1e': '^', '\x1f': '_' };
/** Combining marks of Unicode, and the characters by which dead keys are known. */
const MARKS: Readonly<Record<string, string>> = {
  '\u0300': '`', '\u0301': '´', '\u0302': '^', '\u0303': '~', '\u0308': '¨', '\u030a': '°', '\u030c': 'ˇ', '\u0327': '¸',
};
const ALIASES: Readonly<Record<string, string>> = {
  enter: 'ret', return: 'ret', space: 'spc', escape: 'esc', del: 'delete', ins: 'insert', pageup: 'pgup', pagedown: 'pgdn', control: 'ctrl',
};

/** All layouts, by their first names. */
export const LAYOUT_NAMES: readonly string[] = LAYOUTS.map(({ names }) => names[0]!);

/** What a guest with this layout takes for which character. */
export class KeyboardLayout {
  readonly name: string;
  readonly #keys = new Map<string, Chord>(Object.entries(FIXED));
  readonly #dead = new Map<string, Chord>();

  /** @throws Error for a layout that there is not */
  constructor(name: string) {
    const row = LAYOUTS.find(({ names }) => names.includes(name.toLowerCase()));
    if (row === undefined) throw new Error(`could not read keymap file: '${name}' is no keyboard layout (${LAYOUT_NAMES.join(', ')})`);
    this.name = row.names[0]!;
    this.#place(row, [...row.plain], []);
    this.#place(row, [...row.shift], ['shift']);
    this.#place(row, alternates(row, row.altGr), [ALT_GR]);
    this.#place(row, alternates(row, row.shiftAltGr), ['shift', ALT_GR]);
  }

  /** What to press one after the other for a character: with a dead key two chords. undefined: the layout does not have it. */
  chordsOf(character: string): readonly Chord[] | undefined {
    const key = this.#keys.get(character);
    if (key !== undefined) return [key];
    const dead = this.#dead.get(character);
    if (dead !== undefined) return [dead, FIXED[' ']!];
    const code = character.charCodeAt(0);
    const held = code >= 1 && code <= 26 ? String.fromCharCode(96 + code) : CONTROLS[character];
    if (held !== undefined) return this.#held('ctrl', held);
    // A letter with an accent: the dead key, and then the letter.
    const [letter, mark, ...more] = character.normalize('NFD');
    if (letter === undefined || mark === undefined || more.length > 0) return undefined;
    const accent = this.#dead.get(MARKS[mark] ?? ''), base = this.#keys.get(letter);
    return accent === undefined || base === undefined ? undefined : [accent, base];
  }

  /** A character with another key held. */
  #held(modifier: string, character: string): readonly Chord[] | undefined {
    const chord = this.#keys.get(character) ?? this.#dead.get(character);
    return chord === undefined ? undefined : [[modifier, ...chord]];
  }

  /** What the keys type with these modifiers; what is reached more simply stays as it is. */
  #place({ dead = '' }: LayoutRow, characters: readonly string[], modifiers: Chord): void {
    characters.forEach((character, index) => {
      const known = dead.includes(character) ? this.#dead : this.#keys;
      if (character !== ' ' && !known.has(character)) known.set(character, [...modifiers, LAYOUT_KEYS[index]!]);
    });
  }
}

/** What the keys type with AltGr, in the order of `plain`. */
function alternates({ plain }: LayoutRow, pairs = ''): string[] {
  const list = [...pairs];
  return [...plain].map((character) => {
    const at = list.findIndex((key, index) => index % 2 === 0 && key === character);
    return at < 0 ? ' ' : list[at + 1]!;
  });
}

/**
 * A combination like `ctrl-alt-delete`.
 * @throws Error naming the key if one is unknown to `isKey`.
 */
export function parseChord(name: string, isKey: (key: string) => boolean): Chord {
  const [us] = LAYOUTS;
  const keys = name.toLowerCase().split('-').map((key) => ALIASES[key] ?? key).map((key) => {
    if (key in FIXED) return FIXED[key]![0]!;
    return key.length === 1 ? LAYOUT_KEYS[us!.plain.indexOf(key)] ?? key : key;
  });
  for (const key of keys) if (!isKey(key)) throw new Error(`unknown key '${key}'`);
  return keys;
}

/** What follows a backslash, and the character that both stand for. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', e: '\x1b', b: '\b', '\\': '\\', '{': '{' };

/**
 * The keys for a --type text.
 * @throws Error for a character that the layout does not have, or a word in braces that is no key.
 */
export function parseTyping(text: string, isKey: (key: string) => boolean, layout: KeyboardLayout): Chord[] {
  const chords: Chord[] = [];
  const add = (character: string): void => {
    const found = layout.chordsOf(character);
    if (found === undefined) throw new Error(`no key for '${character}' on the keyboard layout ${layout.name}`);
    chords.push(...found);
  };
  // A letter and its accent count as one, however they were written.
  const characters = [...text.normalize('NFC')];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!, next = characters[at + 1];
    if (character === '\\' && next !== undefined && next in ESCAPES) {
      add(ESCAPES[next]!);
      at++;
    } else if (character === '{') {
      const end = characters.indexOf('}', at);
      const name = end < 0 ? '' : characters.slice(at + 1, end).join('');
      if (isName(name) && characters[at - 1] !== '$') {
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
