/** QEMU as another machine for our firmware: driven by its monitor, its text screen read out of video memory. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const hasQemu: boolean = spawnSync('qemu-system-i386', ['-version']).status === 0;

const TEXT_MEMORY = 0xb8000, COLUMNS = 80, ROWS = 25;

export interface Qemu {
  /** Presses a key by its name in QEMU's sendkey. */
  key(name: string): Promise<void>;
  screen(): Promise<string>;
  /** Runs a monitor command; comes back when it is done. */
  command(text: string): Promise<void>;
  /** Comes back when the text screen matches. @throws Error with the screen after `seconds` */
  expect(pattern: RegExp, seconds: number): Promise<void>;
  close(): Promise<void>;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts QEMU without a display, and without a serial line if there is none in `args`. @param scratch a folder for what it writes */
export function startQemu(args: readonly string[], scratch: string): Qemu {
  const qemu = spawn('qemu-system-i386', ['-display', 'none', ...(args.includes('-serial') ? [] : ['-serial', 'none']), '-parallel', 'none', '-nic', 'none', '-monitor', 'stdio', ...args]);
  const ended = new Promise<void>((resolve) => qemu.on('close', () => resolve()));
  let said = '';
  for (const stream of [qemu.stdout, qemu.stderr]) stream.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  qemu.stdin.on('error', () => {});
  const dump = join(scratch, 'text.bin');

  const prompt = async (from: number): Promise<void> => {
    const giveUp = Date.now() + 20_000;
    while (!/\(qemu\) $/.test(said.slice(from))) {
      if (qemu.exitCode !== null || Date.now() > giveUp) throw new Error(`QEMU does not answer: ${said}`);
      await pause(5);
    }
  };
  const greeted = prompt(0);
  // Whoever runs the first command hears of a QEMU that did not start.
  greeted.catch(() => {});
  /** Runs a monitor command; comes back at the next prompt. */
  const command = async (text: string): Promise<void> => {
    await greeted;
    const from = said.length;
    qemu.stdin.write(`${text}\n`);
    await prompt(from);
  };
  const screen = async (): Promise<string> => {
    await command(`pmemsave ${TEXT_MEMORY} ${COLUMNS * ROWS * 2} "${dump}"`);
    const cells = readFileSync(dump);
    const row = (index: number): string => Array.from({ length: COLUMNS }, (_, column) => String.fromCharCode(cells[(index * COLUMNS + column) * 2]! || 32)).join('').trimEnd();
    return Array.from({ length: ROWS }, (_, index) => row(index)).join('\n').trimEnd();
  };
  return {
    key: (name) => command(`sendkey ${name}`),
    screen, command,
    expect: async (pattern, seconds) => {
      const end = Date.now() + seconds * 1000;
      for (;;) {
        const text = await screen();
        if (pattern.test(text)) return;
        if (Date.now() > end) throw new Error(`not on QEMU's screen after ${seconds} s: ${pattern}\n${text}`);
        await pause(100);
      }
    },
    close: async () => {
      qemu.kill();
      await ended;
    },
  };
}
