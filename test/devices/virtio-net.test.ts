import { beforeEach, describe, expect, it } from 'vitest';
import type { NetPort } from '../../src/devices/host.ts';
import { VirtioNet } from '../../src/devices/virtio-net.ts';
import { DEVICE_CONFIG, VirtioBench } from './virtio-driver.ts';

const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56), HEADER = 12;
let bench: VirtioBench<VirtioNet>, port: NetPort, sent: number[][];

beforeEach(() => {
  sent = [];
  bench = new VirtioBench((slot) => new VirtioNet({ name: 'net', mac: MAC, backend: { plug: (end) => { port = end; }, send: (frame) => sent.push([...frame]) } }, slot));
});

const frame = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 3);

describe('virtio-net', () => {
  it('shows its address and that the link is up', () => {
    bench.start();
    expect(Array.from({ length: 8 }, (_, i) => bench.get(DEVICE_CONFIG + i, 1))).toEqual([...MAC, 1, 0]);
  });

  it('sends frames behind their headers, in any pieces', () => {
    bench.start();
    bench.offer(1, [new Uint8Array(HEADER), frame(60)], []);
    bench.offer(1, [new Uint8Array(HEADER + 5), frame(80).subarray(5)], [], true);
    bench.kick(1);
    expect(sent).toEqual([[...frame(60)], [0, 0, 0, 0, 0, ...frame(80).subarray(5)]]);
    expect(bench.used(1)).toEqual([0, 0]);
    expect(bench.line).toBe(true);
  });

  it('receives into buffers, and lets frames wait for them', () => {
    bench.start();
    port.deliver(frame(100));
    port.deliver(frame(20));
    bench.clock.step(1e6);
    expect(bench.line).toBe(false);
    const rooms = [bench.offer(0, [], [HEADER, 1514])[1]!, bench.offer(0, [], [1600])[0]! + HEADER];
    bench.kick(0);
    bench.clock.step(1e6);
    expect(bench.used(0)).toEqual([HEADER + 100, HEADER + 60]);
    expect([...bench.bytes(rooms[0]!, 100)]).toEqual([...frame(100)]);
    expect([...bench.bytes(rooms[1]!, 60)]).toEqual([...frame(20), ...new Uint8Array(40)]);
    expect(bench.bytes(rooms[1]! - 2, 1)[0]).toBe(1);
    expect(bench.line).toBe(true);
  });

  it('gives a buffer that is too small back empty, and drops what comes before it is started', () => {
    port.deliver(frame(100));
    bench.clock.step(1e6);
    bench.start();
    bench.offer(0, [], [50]);
    bench.kick(0);
    bench.clock.step(1e6);
    expect(bench.used(0)).toEqual([]);
    port.deliver(frame(100));
    bench.clock.step(1e6);
    expect(bench.used(0)).toEqual([0]);
  });

  it('sends nothing that is longer than a frame', () => {
    bench.start();
    bench.offer(1, [new Uint8Array(HEADER), new Uint8Array(70_000)], []);
    bench.kick(1);
    expect([sent, bench.used(1)]).toEqual([[], [0]]);
  });
});
