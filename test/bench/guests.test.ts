/** Each benchmark guest boots, does one iteration and prints the checksum that plain JavaScript computes too. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUESTS, SOAK_GUESTS, assembleGuest, guestImage, withScratch, writeImage } from '../../bench/guests.ts';
import { MarkReader } from '../../bench/marks.ts';
import { Machine } from '../../src/index.ts';
import { REFERENCE } from './reference.ts';

const FOLDER = join(import.meta.dirname, '../../bench/guests');
const TIMEOUT_SECONDS = 50;

describe.each([...GUESTS, ...SOAK_GUESTS])('benchmark guest %s', (name) => {
  const guest = assembleGuest(name, FOLDER);

  it('expects what JavaScript computes', () => {
    expect(guest.expected).toBe(REFERENCE[name]() >>> 0);
  });

  it('prints it', async () => {
    await withScratch(async (folder) => {
      const marks = new MarkReader();
      const serial = { receive: null, write: (byte: number) => marks.byte(byte) };
      const machine = Machine.open({ fda: writeImage(folder, guest, 1, 1), snapshot: true, memory: '8M', serials: [serial], timeout: TIMEOUT_SECONDS });
      await machine.expect(/^DONE /m);
      // The rest of the line.
      await machine.wait(0.1);
      machine.close();
      const checksum = guest.expected.toString(16).toUpperCase().padStart(8, '0');
      expect(marks.lines).toEqual([`BEGIN ${name}`, `END ${name} ${checksum}`, `DONE ${name}`]);
      expect(marks.rounds.map(({ correct }) => correct)).toEqual([true]);
    });
  });
});

describe('benchmark images', () => {
  it('are floppies with the run patched in after the boot sector', () => {
    const image = guestImage(assembleGuest('fib', FOLDER), 1234, 5);
    const text = new TextDecoder('latin1');
    expect(image.length).toBe(1440 * 1024);
    expect([image[510], image[511]]).toEqual([0x55, 0xaa]);
    expect(text.decode(image.subarray(512, 520))).toBe('T86BENCH');
    expect(text.decode(image.subarray(528, 544)).replace(/\0+$/, '')).toBe('fib');
    const view = new DataView(image.buffer);
    expect([view.getUint32(520, true), view.getUint32(524, true)]).toEqual([1234, 5]);
  });

  it('say so when a checksum is wrong', () => {
    const marks = new MarkReader();
    for (const byte of new TextEncoder().encode('noise\r\nBEGIN x\r\nBAD x 000000FF\r\nDONE x\r\n')) marks.byte(byte);
    expect(marks.rounds).toMatchObject([{ checksum: 255, correct: false }]);
    expect(marks.done).toBe(true);
  });
});
