/**
 * `-display term`: the text screen in this terminal, its keys to the guest. Ctrl-A is the escape key, as in QEMU's
 * multiplexed console: x leaves, h helps, Ctrl-A itself is sent by a second Ctrl-A.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { parseTerminalInput } from '../backends/terminal-keys.ts';
import { TerminalScreen } from '../backends/terminal-screen.ts';
import type { TextScreen } from '../devices/host.ts';
import { cp437 } from '../machine/cp437.ts';
import type { Machine } from '../index.ts';
import { chordOf } from '../machine/typing.ts';

/** Least time between two drawings (ms). */
const FRAME = 33;
const ENTER = '\x1b[?1049h\x1b[0m\x1b[2J', LEAVE = '\x1b[0m\x1b[?25h\x1b[?1049l';
const HELP = [
  '', ' Ctrl-A h    this help', ' Ctrl-A x    leave the emulator', ' Ctrl-A d    press Ctrl-Alt-Delete', ' Ctrl-A r    draw the screen again',
  ' Ctrl-A Ctrl-A  send Ctrl-A', '', ' any key goes back',
];

export class TerminalDisplay {
  readonly #machine: Machine;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #screen = new TerminalScreen(cp437);
  readonly #title: string;
  #drawn = 0;
  #escaped = false;
  #helping = false;
  readonly #onData = (chunk: string): void => this.#typed(chunk);
  readonly #onResize = (): void => this.#screen.invalidate();

  constructor(machine: Machine, title: string, input: ReadStream, output: WriteStream) {
    this.#machine = machine;
    this.#title = title;
    this.#input = input;
    this.#output = output;
  }

  open(): void {
    this.#output.write(`\x1b]0;${this.#title}\x07${ENTER}`);
    this.#output.on('resize', this.#onResize);
    if (!this.#input.isTTY) return;
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8');
    this.#input.on('data', this.#onData);
  }

  close(): void {
    this.#output.off('resize', this.#onResize);
    this.#output.write(LEAVE);
    if (!this.#input.isTTY) return;
    this.#input.off('data', this.#onData);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  /** Called after each turn of the machine. */
  refresh(): void {
    const now = performance.now();
    if (this.#helping || now - this.#drawn < FRAME) return;
    this.#drawn = now;
    this.#output.write(this.#screen.draw(this.#machine.board.textScreen() ?? notice('The guest is in a graphics mode.'), this.#output.columns, this.#output.rows));
  }

  #typed(chunk: string): void {
    for (const input of parseTerminalInput(chunk)) {
      if (this.#helping) {
        this.#helping = false;
        this.#screen.invalidate();
      } else if (input.kind === 'keys') this.#press(input.keys);
      else if (this.#escaped) this.#command(input.character);
      else if (input.character === '\x01') this.#escaped = true;
      else this.#press(chordOf(input.character === '\r' ? '\n' : input.character) ?? []);
    }
    this.#machine.wake();
  }

  #command(character: string): void {
    this.#escaped = false;
    if (character === 'x') this.#machine.stop();
    else if (character === 'd') this.#press(['ctrl', 'alt', 'delete']);
    else if (character === 'r') this.#screen.invalidate();
    else if (character === '\x01') this.#press(['ctrl', 'a']);
    else {
      this.#helping = true;
      this.#output.write(`\x1b[0m\x1b[2J\x1b[H${HELP.join('\r\n')}`);
    }
  }

  #press(keys: readonly string[]): void {
    const { board } = this.#machine;
    for (const key of keys) board.key(key, true);
    for (const key of [...keys].reverse()) board.key(key, false);
  }
}

/** A text screen of one line, in place of what cannot be drawn. */
function notice(text: string): TextScreen {
  const cells = new Uint16Array(80 * 25).fill(0x0720);
  [...text].forEach((character, index) => { cells[index] = 0x0700 | character.charCodeAt(0); });
  const colors = new Uint32Array(16);
  colors[7] = 0xaaaaaa;
  return { columns: 80, rows: 25, cells, cursor: { x: 0, y: 0, visible: false }, colors, blink: true };
}
