import { describe, expect, it } from 'vitest';
import type { TextScreen } from '../../src/devices/host.ts';
import { Transcript, screenText } from '../../src/machine/transcript.ts';

const ROWS = 6;

function screen(lines: string[], cursor: [number, number], columns = 20): TextScreen {
  const cells = new Uint16Array(columns * ROWS).fill(0x0720);
  lines.forEach((line, row) => [...line].forEach((character, column) => (cells[row * columns + column] = 0x0700 | character.charCodeAt(0))));
  return { columns, rows: ROWS, cells, cursor: { x: cursor[0], y: cursor[1], visible: true }, colors: new Uint32Array(16), blink: true };
}

/** A transcript that sees what the lines say; the cursor stands at the end of the last one. */
class Watched {
  readonly transcript = new Transcript();
  #lines: string[] = [];

  /** The guest has written `lines`: rows that read differently have changed, and those in `rewritten`. */
  show(lines: string[], rewritten: number[] = []): void {
    const changed = Uint8Array.from({ length: ROWS }, (_, row) => (rewritten.includes(row) || (lines[row] ?? '').trimEnd() !== (this.#lines[row] ?? '').trimEnd() ? 1 : 0));
    this.#lines = lines;
    this.transcript.poll(screen(lines, [lines.at(-1)!.length, lines.length - 1]), changed);
  }

  /** A step begins that nothing precedes: what is on the screen is old. */
  old(): void {
    this.transcript.mark();
    this.transcript.mark();
  }

  get text(): string {
    return this.transcript.text;
  }
}

function shown(lines: string[]): Watched {
  const watched = new Watched();
  watched.show(lines);
  watched.old();
  return watched;
}

describe('Transcript: the screen', () => {
  it('keeps the blanks before the cursor and no others', () => {
    const watched = new Watched();
    watched.show(['hello  ', '# ']);
    expect(watched.text).toBe('hello\n# ');
    expect(watched.text).toMatch(/# $/m);
  });

  it('shows rows that changed since the step before began', () => {
    const watched = new Watched();
    watched.show(['hello', '# ']);
    watched.transcript.mark();
    expect(watched.text).toBe('hello\n# ');
    watched.transcript.mark();
    expect(watched.text).toBe('');
    watched.show(['hello', '# ls', 'a b']);
    expect(watched.text).toBe('# ls\na b');
    watched.transcript.mark();
    expect(watched.text).toBe('# ls\na b');
  });

  it('takes rows that scrolled for old', () => {
    const watched = shown(['one', 'two', 'three', 'four', 'five', '# ']);
    watched.show(['three', 'four', 'five', '# ls', 'file', '# '], [5]);
    expect(watched.text).toBe('# ls\nfile\n# ');
  });

  it('knows a prompt that comes again at the same place after a scroll', () => {
    const watched = shown(['one', 'two', 'three', 'four', 'five', '# ']);
    watched.show(['four', 'five', '# ls', 'a', 'b', '# '], [5]);
    expect(watched.text).toBe('# ls\na\nb\n# ');
  });

  it('knows a prompt that comes again after a screenful that nobody saw', () => {
    const watched = shown(['one', 'two', 'three', 'four', 'five', '# ']);
    watched.show(['x 81', 'x 82', 'x 83', 'x 84', 'x 85', '# '], [5]);
    expect(watched.text.split('\n').at(-1)).toBe('# ');
  });

  it('knows a prompt that comes again on a cleared screen', () => {
    const watched = shown(['# ', '', '', '', '']);
    watched.show(['# '], [0]);
    expect(watched.text).toBe('# ');
    const lower = shown(['one', 'two', '# ']);
    lower.show(['# '], [0]);
    expect(lower.text).toBe('# ');
  });

  it('knows a new prompt on a screen full of them', () => {
    const watched = shown(['# ', '# ', '# ', '# ', '# ', '# ']);
    watched.show(['# ', '# ', '# ', '# ', '# ', '# '], [5]);
    expect(watched.text).toBe('# ');
  });

  it('sees that a screen is being copied up', () => {
    const lines = ['one', 'two', 'three', 'four', 'five', '# '];
    const watched = shown(lines);
    watched.show(['two', 'two', 'three', 'four', 'five', '# ']);
    expect(watched.text).toBe('');
    watched.show(['two', 'three', 'four', 'four', 'five', '# ']);
    expect(watched.text).toBe('');
    watched.show(['two', 'three', 'four', 'five', '# ', '']);
    expect(watched.text).toBe('');
  });

  it('takes everything for new after a change of mode', () => {
    const watched = shown(['one', '# ']);
    watched.transcript.poll(null, null);
    expect(watched.text).toBe('');
    watched.transcript.poll(screen(['one', '# '], [2, 1], 40), new Uint8Array(ROWS));
    expect(watched.text).toBe('one\n# ');
  });

  it('says by its version that there may be something new', () => {
    const watched = shown(['one', '# ']);
    const { version } = watched.transcript;
    watched.show(['one', '# ']);
    expect(watched.transcript.version).toBe(version);
    watched.show(['one', '# l']);
    expect(watched.transcript.version).toBeGreaterThan(version);
  });
});

describe('Transcript: the serial line', () => {
  const send = (transcript: Transcript, text: string): void => {
    for (const byte of Buffer.from(text)) transcript.serialByte(byte);
  };

  it('joins bytes and drops carriage returns', () => {
    const transcript = new Transcript();
    send(transcript, 'boot\r\nlogin: ');
    expect(transcript.text).toBe('boot\nlogin: ');
    transcript.mark();
    expect(transcript.text).toBe('boot\nlogin: ');
    transcript.mark();
    expect(transcript.text).toBe('');
  });

  it('comes before the screen and forgets its beginning when it is long', () => {
    const transcript = new Transcript();
    transcript.poll(screen(['# '], [2, 0]), null);
    const line = `${'x'.repeat(99)}\n`;
    for (let i = 0; i < 12_000; i++) send(transcript, line);
    send(transcript, 'end');
    expect(transcript.text.endsWith('x\nend\n# ')).toBe(true);
    expect(transcript.text.length).toBeLessThan(1.1e6);
    transcript.mark();
    transcript.mark();
    send(transcript, 'more');
    expect(transcript.text).toBe('more');
  });
});

describe('screenText', () => {
  it('leaves out the empty rows at the end', () => {
    expect(screenText(screen(['', 'x'], [0, 2]))).toBe('\nx');
  });
});
