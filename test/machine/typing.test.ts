import { describe, expect, it } from 'vitest';
import { isKeyName } from '../../src/devices/ps2-keys.ts';
import { parseArguments } from '../../src/cli/options.ts';
import { LAYOUT_KEYS, LAYOUTS } from '../../src/machine/layouts.ts';
import { KeyboardLayout, LAYOUT_NAMES, parseChord, parseTyping } from '../../src/machine/typing.ts';

const us = new KeyboardLayout('en-us');
/** The chords for a text, with a blank between them. */
const typed = (text: string, layout: string): string => parseTyping(text, isKeyName, new KeyboardLayout(layout)).map((chord) => chord.join('-')).join(' ');

describe('parseTyping', () => {
  it('reads characters, escapes and names in braces', () => {
    expect(parseTyping('A{f1}\\n{ctrl-d}\\t\\e\\b\\\\', isKeyName, us)).toEqual([
      ['shift', 'a'], ['f1'], ['ret'], ['ctrl', 'd'], ['tab'], ['esc'], ['backspace'], ['backslash'],
    ]);
  });

  it('leaves the braces of programs alone', () => {
    for (const text of ['{ }', '{1}', '{10}', '{a}', '{x=1;}', '${HOME}', '{a,b}', '{', '}', '{}', 'f(){g();}']) {
      expect(parseTyping(text, isKeyName, us), text).toEqual([...text].flatMap((character) => us.chordsOf(character)));
    }
    expect(parseTyping('\\{f1}', isKeyName, us)).toEqual([...'{f1}'].flatMap((character) => us.chordsOf(character)));
  });

  it('names what it does not know', () => {
    expect(() => parseTyping('é', isKeyName, us)).toThrow("no key for 'é' on the keyboard layout en-us");
    expect(() => parseTyping('{entr}', isKeyName, us)).toThrow("{entr}: unknown key 'entr'");
    expect(() => parseTyping('{ctrl-nix}', isKeyName, us)).toThrow("unknown key 'nix'");
  });
});

describe('parseChord', () => {
  it('takes QEMU names, some others, and characters', () => {
    expect(parseChord('ctrl-alt-delete', isKeyName)).toEqual(['ctrl', 'alt', 'delete']);
    expect(parseChord('Enter', isKeyName)).toEqual(['ret']);
    expect(parseChord('ctrl-\\', isKeyName)).toEqual(['ctrl', 'backslash']);
  });

  it('names what it does not know', () => {
    expect(() => parseChord('ctrl-nix', isKeyName)).toThrow("unknown key 'nix'");
    expect(() => parseChord('', isKeyName)).toThrow("unknown key ''");
  });
});

describe('KeyboardLayout', () => {
  it.each(LAYOUT_NAMES)('%s: names keys that there are, and has ASCII', (name) => {
    const layout = new KeyboardLayout(name);
    // Printed on no key.
    const without: Record<string, string> = { it: '`~' };
    for (let code = 0; code < 128; code++) {
      const character = String.fromCharCode(code);
      const chords = layout.chordsOf(character);
      if (without[name]?.includes(character) === true) expect(chords, character).toBeUndefined();
      else expect(chords?.flat().every(isKeyName), `${code} ${character}`).toBe(true);
    }
  });

  it.each(LAYOUTS.map((row) => [row.names[0]!, row] as const))('%s: every key has its place', (_name, { plain, shift, altGr = '', shiftAltGr = '', dead = '' }) => {
    expect([[...plain].length, [...shift].length]).toEqual([LAYOUT_KEYS.length, LAYOUT_KEYS.length]);
    expect(LAYOUT_KEYS.every(isKeyName)).toBe(true);
    expect(new Set(plain.replaceAll(' ', '')).size).toBe(plain.replaceAll(' ', '').length);
    for (const pairs of [altGr, shiftAltGr]) {
      expect([...pairs].length % 2).toBe(0);
      [...pairs].forEach((key, index) => index % 2 === 0 && expect(plain, key).toContain(key));
    }
    for (const character of dead) expect(plain + shift + altGr, character).toContain(character);
  });

  it('types what the guest takes for the text', () => {
    expect(typed('Zz{f1}', 'de')).toBe('shift-y y f1');
    expect(typed('@{}\\\\|~€', 'de')).toBe('alt_r-q alt_r-7 alt_r-0 alt_r-minus alt_r-less alt_r-bracket_right alt_r-e');
    expect(typed('äÖß"/', 'de')).toBe('apostrophe shift-semicolon minus shift-2 shift-7');
    expect(typed('1a.é', 'fr')).toBe('shift-1 q shift-comma 2');
  });

  it('goes by way of dead keys', () => {
    expect(typed('^é', 'de')).toBe('grave_accent spc equal e');
    expect(typed('âÏ', 'fr')).toBe('bracket_left q shift-bracket_left shift-i');
    expect(typed('ñãê', 'pt')).toBe('backslash n backslash a shift-backslash e');
    expect(typed('e\u0301', 'es')).toBe('apostrophe e');
  });

  it('makes control characters with the key of the layout', () => {
    expect(typed('\x1a\x01', 'de')).toBe('ctrl-y ctrl-a');
    expect(typed('\x01', 'fr')).toBe('ctrl-q');
    expect(typed('\x1c\x1e\x1f', 'us')).toBe('ctrl-backslash ctrl-shift-6 ctrl-shift-minus');
  });

  it('is chosen by -k, wherever that stands', () => {
    const { keyboardLayout, steps } = parseArguments(['--type', 'z', '-k', 'de']);
    expect([keyboardLayout, steps]).toEqual(['de', [{ kind: 'type', chords: [['y']], text: 'z' }]]);
    expect(parseArguments(['-k', 'uk']).keyboardLayout).toBe('en-gb');
    expect(() => parseArguments(['-k', 'xx'])).toThrow(/^-k: could not read keymap file: 'xx' is no keyboard layout \(en-us, en-gb, da, de,/);
    let listed: unknown = null;
    try {
      parseArguments(['-k', 'help']);
    } catch (information) {
      listed = information;
    }
    expect(listed).toMatchObject({ text: `Keyboard layouts:\n${LAYOUT_NAMES.join('\n')}` });
    expect(() => parseArguments(['--type', 'я', '-k', 'fr'])).toThrow("--type: no key for 'я' on the keyboard layout fr");
  });
});
