/**
 * The host's power fails: of what was written since the last sync, any part may be in the file, in any order. Whatever it is, a qcow2 image
 * must have no errors but leaks, and hold what was flushed.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HostFile } from '../../../src/backends/block/host-file.ts';
import { Qcow2Image } from '../../../src/backends/block/qcow2/qcow2.ts';
import { bytesOf, make, randomNumbers, scratchFolder } from './support.ts';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));

type Event = { readonly kind: 'write'; readonly offset: number; readonly data: Uint8Array } | { readonly kind: 'truncate'; readonly size: number } | { readonly kind: 'sync' };

/** A file that remembers what was done to it. */
class RecordingFile extends HostFile {
  readonly events: Event[] = [];

  override write(offset: number, data: Uint8Array): void {
    this.events.push({ kind: 'write', offset, data: data.slice() });
    super.write(offset, data);
  }

  override truncate(size: number): void {
    this.events.push({ kind: 'truncate', size });
    super.truncate(size);
  }

  override sync(): void {
    this.events.push({ kind: 'sync' });
  }
}

/** The file after a crash behind the first `count` events: those since the last sync are there or not. */
function crashed(before: Buffer, events: readonly Event[], count: number, random: (n: number) => number): Buffer {
  const happened = events.slice(0, count);
  const safe = happened.findLastIndex(({ kind }) => kind === 'sync');
  const file = Buffer.alloc(Math.max(before.length, ...happened.map((event) => (event.kind === 'write' ? event.offset + event.data.length : event.kind === 'truncate' ? event.size : 0))));
  before.copy(file);
  let size = before.length;
  const apply = (event: Event): void => {
    if (event.kind === 'sync') return;
    size = event.kind === 'write' ? Math.max(size, event.offset + event.data.length) : event.size;
    if (event.kind === 'write') file.set(event.data, event.offset);
  };
  happened.slice(0, safe + 1).forEach(apply);
  const loose = happened.slice(safe + 1).filter(() => random(2) === 0);
  loose.sort(() => random(3) - 1);
  loose.forEach(apply);
  return file.subarray(0, size);
}

interface Flush {
  /** Events until it was done. */
  readonly events: number;
  readonly disk: Uint8Array;
}

describe('a crash of the host', () => {
  it.each<[string, Record<string, string>]>([
    ['version 3', { cluster_size: '4096' }], ['small clusters', { cluster_size: '512', refcount_bits: '64' }], ['version 2', { compat: '0.10', cluster_size: '1024' }],
    ['lazy counts', { lazy_refcounts: 'on', cluster_size: '1024' }],
  ])('leaves an image without errors that has what was flushed (%s)', (title, options) => {
    const SIZE = 400_384, path = make('qcow2', join(folder, 'image.qcow2'), SIZE, options), random = randomNumbers(title.length);
    {
      const image = new Qcow2Image(new HostFile(path), null);
      image.write(0, new Uint8Array(100_000).fill(99));
      image.snapshots.create('before', new Date(0));
      image.close();
    }
    const before = readFileSync(path);
    const file = new RecordingFile(path);
    const image = new Qcow2Image(file, null);
    const disk = new Uint8Array(SIZE).fill(99, 0, 100_000);
    const flushes: Flush[] = [{ events: 0, disk: disk.slice() }];
    /** Bytes that were written since the flush before. */
    const dirty: { events: number; offset: number; length: number }[] = [];
    for (let step = 0; step < 60; step++) {
      const offset = random(SIZE), length = Math.min(SIZE - offset, 1 + random(20_000));
      const value = random(4) === 0 ? 0 : 1 + step;
      dirty.push({ events: file.events.length, offset, length });
      if (value === 0) image.writeZeroes(offset, length);
      else image.write(offset, new Uint8Array(length).fill(value));
      disk.fill(value, offset, offset + length);
      if (random(6) !== 0) continue;
      image.flush();
      flushes.push({ events: file.events.length, disk: disk.slice() });
    }
    const { events } = file;
    image.close();
    for (let crash = 0; crash < 60; crash++) {
      const count = random(events.length + 1);
      writeFileSync(path, crashed(before, events, count, random));
      const after = new Qcow2Image(new HostFile(path, { readOnly: true }), null);
      const { messages, corruptions, errors } = after.check('none');
      // Lazy counts are made anew.
      if (!after.dirty) expect({ crash, messages: corruptions + errors > 0 ? messages : [] }).toEqual({ crash, messages: [] });
      const flush = flushes.findLast((one) => one.events <= count)!;
      const expected = flush.disk.slice(), got = bytesOf(after);
      for (const one of dirty) if (one.events >= flush.events && one.events <= count) expected.set(got.subarray(one.offset, one.offset + one.length), one.offset);
      expect(Buffer.compare(got, expected), `crash ${crash} behind event ${count}`).toBe(0);
      after.close();
      if (crash % 10 > 0) continue;
      const next = new Qcow2Image(new HostFile(path), null);
      next.write(0, Uint8Array.of(1));
      next.close();
      const clean = new Qcow2Image(new HostFile(path, { readOnly: true }), null);
      expect(clean.check('none').corruptions).toBe(0);
      clean.close();
    }
  });
});
