/**
 * `-display term`: the screen in this terminal (graphics in half blocks), its keys to the guest. Ctrl-A is the escape key, as in QEMU's
 * multiplexed console: x leaves, h helps, Ctrl-A itself is sent by a second Ctrl-A.
 */
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { TerminalKeys } from '../backends/terminal-keys.ts';
import type { TerminalInput } from '../backends/terminal-keys.ts';
import { TerminalPicture } from '../backends/terminal-picture.ts';
import { TerminalScreen } from '../backends/terminal-screen.ts';
import type { TextScreen } from '../devices/host.ts';
import { cp437 } from '../machine/cp437.ts';
import type { Machine } from '../index.ts';

/** Least time between two drawings (ms), and as a multiple of what one takes: pictures leave the time to the guest. */
const FRAME = 33, SHARE = 10;
/** How long an escape sequence may take to arrive; a key of its own (Escape) comes this much later (ms). */
const ESCAPE_TIME = 30;
/** More keys than a hand presses at once: pasted text, which waits for the guest. */
const PASTE = 8;
/** Alternate screen; the window's title is kept on the terminal's stack and comes back. */
const ENTER = '\x1b[22;0t\x1b[?1049h\x1b[0m\x1b[2J', LEAVE = '\x1b[0m\x1b[?25h\x1b[?1049l\x1b[23;0t';
const HELP = [
  '', ' Ctrl-A h       this help', ' Ctrl-A x       leave the emulator', ' Ctrl-A d       press Ctrl-Alt-Delete', ' Ctrl-A r       draw the screen again',
  ' Ctrl-A Ctrl-A  send Ctrl-A', '', ' any key goes back',
];

export class TerminalDisplay {
  readonly #machine: Machine;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #screen: TerminalScreen;
  readonly #picture: TerminalPicture;
  /** What was drawn last. */
  #shown: TerminalScreen | TerminalPicture | null = null;
  /** The picture that was drawn last, as the adapter tells whether it has changed. */
  #pictured = '';
  readonly #title: string;
  readonly #keys = new TerminalKeys();
  /** When the screen may be drawn next. */
  #due = 0;
  #open = false;
  #escaped = false;
  #helping = false;
  /** All that is on the terminal is to be drawn again. */
  #stale = false;
  #escapeTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #onData = (chunk: string): void => this.#typed(chunk);
  readonly #onGone = (): void => this.#machine.stop();
  readonly #onResize = (): void => this.#redraw();
  /** The terminal may have been used by others while we were stopped. */
  readonly #onContinue = (): void => {
    this.#input.setRawMode?.(true);
    this.#output.write(ENTER);
    this.#redraw();
  };
  /** However the process ends, the terminal is put back. */
  readonly #onExit = (): void => {
    try {
      writeSync(process.stdout.fd, LEAVE);
    } catch {
      // The terminal has gone.
    }
  };

  constructor(machine: Machine, title: string, input: ReadStream, output: WriteStream) {
    this.#machine = machine;
    // Control characters would end the escape sequence that it is put in.
    this.#title = title.replace(/[\x00-\x1f\x7f-\x9f]/g, '');
    this.#input = input;
    this.#output = output;
    this.#screen = new TerminalScreen(cp437, output.getColorDepth());
    this.#picture = new TerminalPicture(output.getColorDepth());
  }

  open(): void {
    this.#open = true;
    process.on('exit', this.#onExit).on('SIGCONT', this.#onContinue);
    this.#output.write(`${ENTER}\x1b]0;${this.#title}\x07`);
    this.#output.on('resize', this.#onResize);
    if (!this.#input.isTTY) return;
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8');
    this.#input.on('data', this.#onData).on('end', this.#onGone).on('error', this.#onGone);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#onExit).off('SIGCONT', this.#onContinue);
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#output.off('resize', this.#onResize);
    this.#output.write(LEAVE);
    if (!this.#input.isTTY) return;
    this.#input.off('data', this.#onData).off('end', this.#onGone).off('error', this.#onGone);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  /** Called after each turn of the machine. */
  refresh(): void {
    const start = performance.now();
    // A terminal that has not taken the last drawing yet gets no other.
    if (this.#helping || start < this.#due || this.#output.writableLength > 0) return;
    const text = this.#drawing();
    if (text !== '') this.#output.write(text);
    this.#due = start + Math.max(FRAME, SHARE * (performance.now() - start));
  }

  #drawing(): string {
    const { board } = this.#machine, { columns, rows } = this.#output;
    const screen = board.textScreen();
    const next = screen === null && board.vga !== null ? this.#picture : this.#screen;
    if (next !== this.#shown) next.invalidate();
    const anew = next !== this.#shown || this.#stale;
    this.#shown = next;
    this.#stale = false;
    if (next === this.#screen) return this.#screen.draw(screen ?? notice('The machine has no display adapter.'), columns, rows);
    const { changes } = board.vga!;
    if (changes === this.#pictured && !anew) return '';
    this.#pictured = changes;
    return this.#picture.draw(board.picture(), columns, rows);
  }

  /** The next drawing draws everything. */
  #invalidate(): void {
    this.#stale = true;
    this.#due = 0;
    this.#screen.invalidate();
    this.#picture.invalidate();
  }

  #redraw(): void {
    this.#invalidate();
    if (this.#helping) this.#help();
    this.#machine.wake();
  }

  #help(): void {
    this.#helping = true;
    this.#invalidate();
    this.#output.write(`\x1b[0m\x1b[2J\x1b[H${HELP.join('\r\n')}`);
  }

  #typed(chunk: string): void {
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#escapeTimer = null;
    this.#handle(this.#keys.push(chunk));
    if (!this.#keys.waiting) return;
    this.#escapeTimer = setTimeout(() => {
      this.#escapeTimer = null;
      this.#handle(this.#keys.flush());
    }, ESCAPE_TIME);
  }

  #handle(inputs: readonly TerminalInput[]): void {
    const chords: (readonly string[])[] = [];
    for (const input of inputs) {
      if (this.#helping) this.#helping = false;
      else if (this.#escaped) this.#command(input);
      else if (input.kind === 'character' && input.character === '\x01' && !input.alt) this.#escaped = true;
      else chords.push(...this.#chordsFor(input));
    }
    const pressed = chords.filter((chord) => chord.length > 0);
    if (pressed.length > PASTE) this.#machine.keyboard.type(pressed);
    else this.#machine.keyboard.press(pressed);
    this.#machine.wake();
  }

  /** What to press; nothing for a character that the guest's layout does not have. */
  #chordsFor(input: TerminalInput): readonly (readonly string[])[] {
    if (input.kind === 'keys') return [input.keys];
    const chords = this.#machine.keyboardLayout.chordsOf(input.character.normalize('NFC')) ?? [];
    return input.alt ? chords.map((chord) => ['alt', ...chord]) : chords;
  }

  /** The key after Ctrl-A. */
  #command(input: TerminalInput): void {
    this.#escaped = false;
    switch (input.kind === 'character' ? input.character : '') {
      case 'x': return this.#machine.stop();
      case 'd': return this.#machine.keyboard.press([['ctrl', 'alt', 'delete']]);
      case 'r': return this.#invalidate();
      case '\x01': return this.#machine.keyboard.press([['ctrl', 'a']]);
      default: return this.#help();
    }
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
