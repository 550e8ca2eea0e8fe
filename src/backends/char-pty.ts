/**
 * A line that is a pseudo terminal of the host, for terminal programs: `screen /dev/pts/3`. Node has no call that makes one, so it is made by `script`
 * (util-linux), whose shell keeps the other end open and raw, says its name, and ends with us. What the guest sends while nobody reads stays in the
 * terminal's queue and the pipe, some 64 KB; what is more is lost.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import { StreamChar } from './char-stream.ts';

/** Ends at the latest seconds after this process, however that ends. */
const holdOpen = (pid: number): string => `stty raw -echo && tty && while kill -0 ${pid} 2>/dev/null; do sleep 2; done`;

export class PtyChar extends StreamChar {
  /** The file to open: /dev/pts/3. */
  readonly path: string;
  readonly #child: ChildProcessWithoutNullStreams;

  private constructor(child: ChildProcessWithoutNullStreams, path: string) {
    super();
    this.path = path;
    this.#child = child;
    this.attach(child.stdout, child.stdin);
  }

  /** @throws Error where the host has no pseudo terminals, or nothing that makes one */
  static async open(): Promise<PtyChar> {
    const child = spawn('script', ['-q', '-f', '-c', holdOpen(process.pid), '/dev/null']);
    const streams = [child.stdin, child.stdout, child.stderr] as unknown as Socket[];
    for (const stream of streams) stream.on('error', () => {});
    const path = await nameOf(child);
    for (const one of [child, ...streams]) one.unref();
    return new PtyChar(child, path);
  }

  protected override send(bytes: Uint8Array): void {
    if (this.#child.stdin.writableLength === 0) super.send(bytes);
  }

  override close(): void {
    super.close();
    this.#child.stdin.end(() => this.#child.kill());
  }
}

/** The first line that the shell says. */
function nameOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '', complaint = '';
    const fail = (reason: string): void => reject(new Error(`no pseudo terminal: ${reason}`));
    child.on('error', () => fail("this host has no command 'script' (util-linux) that makes one"));
    child.on('close', () => fail(complaint.trim().split('\n')[0] || "the command 'script' has ended"));
    child.stderr.on('data', (bytes: Buffer) => { complaint += bytes.toString(); });
    const listen = (bytes: Buffer): void => {
      text += bytes.toString('latin1');
      if (!text.includes('\n')) return;
      child.stdout.off('data', listen);
      resolve(text.trim());
    };
    child.stdout.on('data', listen);
  });
}
