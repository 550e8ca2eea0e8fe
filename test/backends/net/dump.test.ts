import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DumpedNetwork } from '../../../src/backends/net/dump.ts';
import type { NetPort } from '../../../src/devices/host.ts';
import { SteppedClock } from '../../devices/stepped-clock.ts';

it('a dump is a pcap file with the frames of both ways and their times', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tcg86-')), file = join(folder, 'x.pcap'), clock = new SteppedClock();
  let port: NetPort | null = null, closed = 0;
  const delivered: Uint8Array[] = [], sent: Uint8Array[] = [];
  try {
    const network = new DumpedNetwork({ plug: (end) => { port = end; }, send: (frame) => sent.push(frame), close: () => { closed++; } }, { file, maxLength: 20, failed: () => {} });
    network.plug({ clock, deliver: (frame) => delivered.push(frame) > 0 });
    network.send(new Uint8Array(64).fill(1));
    clock.step(1_500_000);
    port!.deliver(new Uint8Array(15).fill(2));
    network.close();
    expect([delivered.length, sent.length, closed]).toEqual([1, 1, 1]);
    const bytes = readFileSync(file), word = (at: number): number => bytes.readUInt32LE(at);
    expect([word(0), word(4), word(8), word(12), word(16), word(20)]).toEqual([0xa1b2c3d4, 0x00040002, 0, 0, 20, 1]);
    expect([word(32), word(36), bytes[40], word(60 + 8), word(60 + 12), bytes[76]]).toEqual([20, 64, 1, 15, 15, 2]);
    expect(bytes.length).toBe(24 + 16 + 20 + 16 + 15);
    expect((word(60) - word(24)) * 1e6 + word(64) - word(28)).toBe(1500);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
