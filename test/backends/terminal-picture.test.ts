import { describe, expect, it } from 'vitest';
import { TerminalPicture, placeOf } from '../../src/backends/terminal-picture.ts';
import type { Picture } from '../../src/devices/host.ts';

function picture(width: number, height: number, color: (x: number, y: number) => number): Picture {
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) [16, 8, 0].forEach((shift, c) => { rgba[4 * i + c] = color(i % width, Math.floor(i / width)) >> shift; });
  return { width, height, rgba };
}

/** What a terminal shows after these sequences: for each cell "upper/lower". */
class Screen {
  readonly cells: string[][];
  bytes = 0;
  #x = 0;
  #y = 0;
  #front = '-';
  #back = '-';

  constructor(columns: number, rows: number) {
    this.cells = Array.from({ length: rows }, () => new Array<string>(columns).fill('.'));
  }

  write(text: string): void {
    this.bytes += text.length;
    for (const [, sequence, final, character] of text.matchAll(/\x1b\[([?\d;]*)([A-Za-z])|([^\x1b])/g)) {
      if (character !== undefined) {
        const shown = { ' ': [this.#back, this.#back], '▀': [this.#front, this.#back], '▄': [this.#back, this.#front] }[character]!;
        this.cells[this.#y]![this.#x++] = shown.join('/');
      } else if (final === 'H') [this.#y, this.#x] = sequence!.split(';').map((n) => Number(n) - 1) as [number, number];
      else if (final === 'J') this.cells.forEach((row) => row.fill('.'));
      else if (final === 'm') this.#style(sequence!.split(';'));
    }
  }

  #style(codes: string[]): void {
    for (let i = 0; i < codes.length; ) {
      if (codes[i] === '0') {
        this.#front = this.#back = '-';
        i++;
        continue;
      }
      const length = codes[i + 1] === '2' ? 5 : 3, value = codes.slice(i + 2, i + length).join();
      if (codes[i] === '38') this.#front = value;
      else this.#back = value;
      i += length;
    }
  }
}

describe('TerminalPicture', () => {
  it('keeps the shape that the picture has on a monitor', () => {
    expect(placeOf({ width: 640, height: 400 }, 80, 25)).toEqual({ left: 6, top: 0, width: 67, height: 50 });
    expect(placeOf({ width: 640, height: 480 }, 200, 60)).toEqual({ left: 20, top: 0, width: 160, height: 120 });
    expect(placeOf({ width: 1280, height: 1024 }, 200, 60)).toEqual({ left: 25, top: 0, width: 150, height: 120 });
    expect(placeOf({ width: 640, height: 480 }, 20, 60)).toEqual({ left: 0, top: 52, width: 20, height: 16 });
  });

  it('draws two dots in a cell, in the average colour', () => {
    const screen = new Screen(4, 2), terminal = new TerminalPicture();
    // Four bands of 120 lines; the third of black and white columns.
    screen.write(terminal.draw(picture(640, 480, (x, y) => (y < 120 ? 0xff0000 : y < 240 ? 0x00ff00 : y < 360 ? (x & 1) * 0xffffff : 0x000080)), 4, 2));
    expect(screen.cells).toEqual([new Array(4).fill('255,0,0/0,255,0'), new Array(4).fill('128,128,128/0,0,128')]);
  });

  it('writes what has changed, and nothing if nothing has', () => {
    const screen = new Screen(80, 25), terminal = new TerminalPicture();
    const plain = (at: number): Picture => picture(640, 480, (x, y) => (x >> 5 === at && y >> 5 === 3 ? 0xffffff : 0x0000aa));
    screen.write(terminal.draw(plain(1), 80, 25));
    expect(terminal.draw(plain(1), 80, 25)).toBe('');
    const move = terminal.draw(plain(2), 80, 25);
    expect(move.length).toBeLessThan(1000);
    const moved = new Screen(80, 25);
    screen.write(move);
    moved.write(new TerminalPicture().draw(plain(2), 80, 25));
    expect(screen.cells).toEqual(moved.cells);
  });

  it('draws all after a resize, or when told', () => {
    const terminal = new TerminalPicture(), shown = picture(320, 240, (x) => x);
    terminal.draw(shown, 80, 25);
    const large = new Screen(200, 60), fresh = new Screen(200, 60);
    large.write(terminal.draw(shown, 200, 60));
    fresh.write(new TerminalPicture().draw(shown, 200, 60));
    expect(large.cells).toEqual(fresh.cells);
    terminal.invalidate();
    expect(terminal.draw(shown, 200, 60).length).toBe(large.bytes);
    expect(new TerminalPicture().draw(shown, 1, 1)).not.toBe('');
  });

  it('makes do with fewer colours', () => {
    const red = picture(64, 48, (x) => (x < 32 ? 0xfe0102 : 0x808080));
    expect(new TerminalPicture(8).draw(red, 4, 2)).toMatch(/48;5;196m[^]*48;5;244m/);
    expect(new TerminalPicture(4).draw(red, 4, 2)).toMatch(/101m|41m/);
    expect(new TerminalPicture(1).draw(picture(64, 48, (_x, y) => (y < 12 ? 0xffffff : 0)), 4, 2)).toContain('▀');
  });
});
