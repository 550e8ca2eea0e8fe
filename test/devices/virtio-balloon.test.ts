import { beforeEach, describe, expect, it } from 'vitest';
import { VirtioBalloon } from '../../src/devices/virtio-balloon.ts';
import { DEVICE_CONFIG, ISR, VirtioBench } from './virtio-driver.ts';

const SECOND = 1_000_000_000;
let bench: VirtioBench<VirtioBalloon>;
beforeEach(() => {
  bench = new VirtioBench(({ clock }) => new VirtioBalloon(clock, { deflateOnOom: true, statisticsInterval: 2 }));
});

const pages = (...numbers: number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);
function statistics(...entries: [tag: number, value: number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(10 * entries.length));
  entries.forEach(([tag, value], i) => {
    view.setUint16(10 * i, tag, true);
    view.setBigUint64(10 * i + 2, BigInt(value), true);
  });
  return new Uint8Array(view.buffer);
}

describe('virtio-balloon', () => {
  it('asks for pages, takes them, gives them back as they were', () => {
    expect(bench.start() & 7).toBe(6);
    expect(bench.pci.config.read(2, 2)).toBe(0x1002);
    bench.device.wanted = 3 * 4096;
    expect([bench.get(ISR, 1), bench.get(DEVICE_CONFIG, 4)]).toEqual([2, 3]);
    bench.space.write(0x300000, 0x1234, 4);
    bench.offer(0, [pages(0x300, 0x301, 0x302)], []);
    bench.kick(0);
    expect(bench.used(0)).toEqual([0]);
    bench.put(DEVICE_CONFIG + 4, 3, 4);
    expect(bench.device.given).toBe(3 * 4096);
    bench.device.wanted = 0;
    bench.offer(1, [pages(0x300)], []);
    bench.kick(1);
    expect(bench.used(1)).toEqual([0]);
    bench.put(DEVICE_CONFIG + 4, 0, 4);
    expect([bench.device.given, bench.space.read(0x300000, 4)]).toEqual([0, 0x1234]);
  });

  it('reads statistics, and asks for new ones in its time', () => {
    bench.start();
    bench.offer(2, [statistics([4, 1000], [5, 2 ** 40], [99, 1])], []);
    bench.kick(2);
    expect(bench.device.statistics).toEqual({ freeMemory: 1000, totalMemory: 2 ** 40 });
    expect(bench.used(2)).toEqual([]);
    const saved = bench.device.state.save();
    bench.device.reset();
    bench.device.state.restore(saved);
    bench.device.restored();
    bench.clock.step(2 * SECOND);
    expect(bench.used(2)).toEqual([0]);
    bench.offer(2, [statistics([4, 900])], []);
    bench.kick(2);
    expect(bench.device.statistics).toEqual({ freeMemory: 900, totalMemory: 2 ** 40 });
  });

  it('what is wanted outlives a driver, what was given does not', () => {
    bench.start();
    bench.device.wanted = 8192;
    bench.put(DEVICE_CONFIG + 4, 2, 4);
    bench.pci.reset();
    expect([bench.device.wanted, bench.device.given]).toEqual([8192, 0]);
  });
});
