import { describe, expect, it } from 'vitest';
import type { TextScreen } from '../../src/devices/host.ts';
import { Transcript, screenText } from '../../src/machine/transcript.ts';
import { parseChord, parseTyping } from '../../src/machine/typing.ts';

function screen(lines: string[], cursor: [number, number], columns = 20, rows = 5): TextScreen {
  const cells = new Uint16Array(columns * rows).fill(0x0720);
  lines.forEach((line, row) => [...line].forEach((character, column) => (cells[row * columns + column] = 0x0700 | character.charCodeAt(0))));
  return { columns, rows, cells, cursor: { x: cursor[0], y: cursor[1], visible: true }, colors: new Uint32Array(16), blink: true };
}

describe('Transcript', () => {
  it('keeps the blanks before the cursor and no others', () => {
    const transcript = new Transcript();
    transcript.poll(screen(['hello', '# '], [2, 1]));
    expect(transcript.text).toBe('hello\n# ');
    expect(transcript.text).toMatch(/# $/m);
  });

  it('shows only rows that changed since the step before began', () => {
    const transcript = new Transcript();
    transcript.poll(screen(['hello', '# '], [2, 1]));
    transcript.mark(screen(['hello', '# '], [2, 1]));
    expect(transcript.text).toBe('hello\n# ');
    transcript.mark(screen(['hello', '# '], [2, 1]));
    expect(transcript.text).toBe('');
    transcript.poll(screen(['hello', '# ls', 'a b'], [0, 3]));
    expect(transcript.text).toBe('# ls\na b');
  });

  it('takes rows that scrolled for old', () => {
    const transcript = new Transcript();
    transcript.mark(screen(['one', 'two', 'three', 'four', '# '], [2, 4]));
    transcript.mark(screen(['one', 'two', 'three', 'four', '# '], [2, 4]));
    transcript.poll(screen(['three', 'four', '# ls', 'file', '# '], [2, 4]));
    expect(transcript.text).toBe('# ls\nfile\n# ');
  });

  it('forgets a prompt that the step before ended on, also when it scrolls away', () => {
    const transcript = new Transcript();
    transcript.mark(screen(['one', 'two', 'three', 'four', '# '], [2, 4]));
    transcript.mark(screen(['one', 'two', 'three', 'four', '# '], [2, 4]));
    transcript.poll(screen(['two', 'three', 'four', '# make', 'cc -c'], [5, 4]));
    expect(transcript.text).not.toMatch(/# $/m);
  });

  it('joins serial bytes', () => {
    const transcript = new Transcript();
    for (const byte of Buffer.from('boot\r\nlogin: ')) transcript.serialByte(byte);
    expect(transcript.text).toBe('boot\nlogin: ');
    transcript.mark(null);
    expect(transcript.text).toBe('boot\nlogin: ');
    transcript.mark(null);
    expect(transcript.text).toBe('');
  });

  it('prints the screen without empty rows at the end', () => {
    expect(screenText(screen(['', 'x'], [0, 2]))).toBe('\nx');
  });
});

describe('typing', () => {
  const isKey = (key: string): boolean => ['ctrl', 'alt', 'delete', 'd', 'f1', 'shift', 'ret', 'spc'].includes(key);
  it('reads names in braces, escapes and plain braces', () => {
    expect(parseTyping('A{f1}\\n{ctrl-d}{ }', isKey)).toEqual([
      ['shift', 'a'], ['f1'], ['ret'], ['ctrl', 'd'], ['shift', 'bracket_left'], ['spc'], ['shift', 'bracket_right'],
    ]);
  });
  it('names what it does not know', () => {
    expect(() => parseChord('ctrl-nix', isKey)).toThrow("unknown key 'nix'");
    expect(() => parseTyping('é', isKey)).toThrow("no key for 'é'");
  });
});
