import { describe, expect, it } from 'vitest';
import { colorCode } from '../../src/backends/terminal-colors.ts';
import { TerminalKeys } from '../../src/backends/terminal-keys.ts';
import { TerminalScreen } from '../../src/backends/terminal-screen.ts';
import type { TextScreen } from '../../src/devices/host.ts';

const COLORS = Uint32Array.from([0, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa, 0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff]);

function screen(lines: string[], cursor: [number, number] | null, attribute = 0x07): TextScreen {
  const columns = 6, rows = lines.length;
  const cells = new Uint16Array(columns * rows).fill(0x0720);
  lines.forEach((line, row) => [...line].forEach((character, column) => (cells[row * columns + column] = attribute << 8 | character.charCodeAt(0))));
  return { columns, rows, cells, cursor: { x: cursor?.[0] ?? 0, y: cursor?.[1] ?? 0, visible: cursor !== null }, colors: COLORS, blink: true };
}

const glyph = (code: number): string => String.fromCharCode(code);
/** What is printed, without escape sequences. */
const plain = (text: string): string => text.replace(/\x1b\[[?\d;]*[A-Za-z]/g, '');

describe('TerminalScreen', () => {
  it('draws everything, then only what changed', () => {
    const terminal = new TerminalScreen(glyph);
    const first = terminal.draw(screen(['ab', 'cd'], [2, 1]), 80, 24);
    expect(plain(first)).toBe('ab    cd    ');
    expect(first).toContain('\x1b[0;38;2;170;170;170;48;2;0;0;0m');
    expect(first.endsWith('\x1b[2;3H\x1b[?25h')).toBe(true);
    expect(terminal.draw(screen(['ab', 'cd'], [2, 1]), 80, 24)).toBe('');
    const second = terminal.draw(screen(['ab', 'cX'], [2, 1]), 80, 24);
    expect(plain(second)).toBe('X');
    expect(second).toContain('\x1b[2;2H');
    expect(terminal.draw(screen(['ab', 'cX'], null), 80, 24)).toBe('\x1b[?25l');
  });

  it('draws anew when told, after a resize, and when a colour changes', () => {
    const terminal = new TerminalScreen(glyph);
    const shown = screen(['ab', 'cd'], [0, 0]);
    terminal.draw(shown, 80, 24);
    terminal.invalidate();
    expect(plain(terminal.draw(shown, 80, 24))).toBe('ab    cd    ');
    expect(plain(terminal.draw(shown, 3, 24))).toBe('ab cd ');
    expect(plain(terminal.draw({ ...shown, colors: COLORS.map((color) => color ^ 1) }, 3, 24))).toBe('ab cd ');
  });

  it('shows the rows around the cursor in a low terminal', () => {
    const terminal = new TerminalScreen(glyph);
    const lines = ['a', 'b', 'c', 'd'];
    expect(plain(terminal.draw(screen(lines, [0, 0]), 2, 2))).toBe('a b ');
    const end = terminal.draw(screen(lines, [1, 3]), 2, 2);
    expect(plain(end)).toBe('cd');
    expect(end.endsWith('\x1b[2;2H\x1b[?25h')).toBe(true);
    expect(plain(terminal.draw(screen(lines, null), 2, 2))).toBe('');
  });

  it('blinks or shows bright backgrounds by the mode', () => {
    const blinking = screen(['x'], null, 0x9e);
    expect(new TerminalScreen(glyph).draw(blinking, 80, 24)).toContain('\x1b[0;5;38;2;255;255;85;48;2;0;0;170m');
    expect(new TerminalScreen(glyph).draw({ ...blinking, blink: false }, 80, 24)).toContain('\x1b[0;38;2;255;255;85;48;2;85;85;255m');
  });
});

describe('colorCode', () => {
  it('finds the nearest colour a terminal has', () => {
    expect(colorCode(24)(0x123456, false)).toBe('38;2;18;52;86');
    expect(colorCode(8)(0xff0000, true)).toBe('48;5;196');
    expect(colorCode(8)(0x555555, false)).toBe('38;5;240');
    expect([...COLORS].map((color) => colorCode(4)(color, false)).join()).toBe('30,34,32,36,31,35,33,37,90,94,92,96,91,95,93,97');
    expect(colorCode(4)(0xffffff, true)).toBe('107');
    expect(colorCode(1)(0x0000aa, true)).toBe('7');
  });
});

describe('TerminalKeys', () => {
  const keys = (...chunks: string[]): string[] => {
    const parser = new TerminalKeys();
    return [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.flush()].map((input) =>
      input.kind === 'keys' ? input.keys.join('-') : `${input.alt ? 'alt+' : ''}${JSON.stringify(input.character)}`);
  };

  it('reads characters and control characters', () => {
    expect(keys('aß€\r\x01\x7f')).toEqual(['"a"', '"ß"', '"€"', '"\\r"', '"\\u0001"', '"\x7f"']);
  });

  it('reads cursor, editing and function keys, with modifiers', () => {
    expect(keys('\x1b[A\x1bOB\x1b[H\x1b[4~\x1b[5~\x1b[2~\x1b[Z')).toEqual(['up', 'down', 'home', 'end', 'pgup', 'insert', 'shift-tab']);
    expect(keys('\x1bOP\x1b[15~\x1b[24~\x1b[[A\x1b[[E')).toEqual(['f1', 'f5', 'f12', 'f1', 'f5']);
    expect(keys('\x1b[1;5C\x1b[1;2P\x1b[3;3~\x1b[1;8D')).toEqual(['ctrl-right', 'shift-f1', 'alt-delete', 'ctrl-alt-shift-left']);
    expect(keys('\x1b[99~x')).toEqual(['"x"']);
  });

  it('takes ESC and a character for Alt', () => {
    expect(keys('\x1bx\x1b5')).toEqual(['alt+"x"', 'alt+"5"']);
    expect(keys('\x1b\x1b[A')).toEqual(['"\\u001b"', 'up']);
  });

  it('puts sequences together that come in pieces', () => {
    expect(keys('a\x1b', '[', '1;5', 'Cb')).toEqual(['"a"', 'ctrl-right', '"b"']);
    expect(keys('\x1b')).toEqual(['"\\u001b"']);
    expect(keys('\x1b[')).toEqual(['alt+"["']);
  });
});
