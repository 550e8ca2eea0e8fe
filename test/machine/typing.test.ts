import { describe, expect, it } from 'vitest';
import { isKeyName } from '../../src/devices/ps2-keys.ts';
import { chordOf, parseChord, parseTyping } from '../../src/machine/typing.ts';

describe('parseTyping', () => {
  it('reads characters, escapes and names in braces', () => {
    expect(parseTyping('A{f1}\\n{ctrl-d}\\t\\e\\b\\\\', isKeyName)).toEqual([
      ['shift', 'a'], ['f1'], ['ret'], ['ctrl', 'd'], ['tab'], ['esc'], ['backspace'], ['backslash'],
    ]);
  });

  it('leaves the braces of programs alone', () => {
    for (const text of ['{ }', '{1}', '{10}', '{a}', '{x=1;}', '${HOME}', '{a,b}', '{', '}', '{}', 'f(){g();}']) {
      expect(parseTyping(text, isKeyName), text).toEqual([...text].map((character) => chordOf(character)));
    }
    expect(parseTyping('\\{f1}', isKeyName)).toEqual([...'{f1}'].map((character) => chordOf(character)));
  });

  it('names what it does not know', () => {
    expect(() => parseTyping('é', isKeyName)).toThrow("no key for 'é'");
    expect(() => parseTyping('{entr}', isKeyName)).toThrow("{entr}: unknown key 'entr'");
    expect(() => parseTyping('{ctrl-nix}', isKeyName)).toThrow("unknown key 'nix'");
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

it('chordOf knows every character of ASCII', () => {
  for (let code = 0; code < 128; code++) {
    const chord = chordOf(String.fromCharCode(code));
    expect(chord, String(code)).toBeDefined();
    expect(chord!.every(isKeyName), String(code)).toBe(true);
  }
});
