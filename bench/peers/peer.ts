/** An emulator that boots benchmark images in a process of its own, with the serial line on its standard output. */
import { spawn } from 'node:child_process';
import { processClock } from '../clocks.ts';
import type { ClockName } from '../clocks.ts';
import { MarkReader } from '../marks.ts';
import type { Round } from '../marks.ts';

export interface Peer {
  readonly name: string;
  readonly version: string;
  /** How to boot a floppy image. The process need not end by itself. */
  readonly command: (image: string) => readonly [string, ...string[]];
}

/** A peer that cannot be had. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/**
 * Boots an image and returns its rounds; ends the process after the DONE line.
 * @throws Error if the guest is not done within `timeout` ms or a checksum is wrong.
 */
export function runPeer(peer: Peer, image: string, clock: ClockName, timeout: number): Promise<Round[]> {
  const [file, ...args] = peer.command(image);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const marks = new MarkReader(processClock(clock, child.pid ?? 0));
    let complaints = '', late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeout);
    child.stdout.on('data', (chunk: Buffer) => {
      for (const byte of chunk) marks.byte(byte);
      if (marks.done) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      const said = [...marks.lines.slice(-3), ...complaints.trim().split('\n').slice(-3)].filter((line) => line !== '').join(' | ');
      const note = said === '' ? '' : `: ${said}`;
      if (!marks.done) reject(new Error(`${peer.name}: ${late ? `not done after ${timeout / 1000} s` : 'ended before the guest was done'}${note}`));
      else if (marks.rounds.some(({ correct }) => !correct)) reject(new Error(`${peer.name}: wrong checksum${note}`));
      else resolve(marks.rounds);
    });
  });
}
