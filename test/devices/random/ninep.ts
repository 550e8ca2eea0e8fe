/** Random messages of 9P2000.L for the shared folder's card, well-formed most of the time. */
import { WireWriter } from '../../../src/devices/9p/wire.ts';
import type { Random } from '../../vectors/random.ts';

const NAMES = ['a', 'a', 'b', 'b', 'c', 'folder', 'folder', 'link', '.', '..', '', 'a/b', '/', 'x\0', '\xff'] as const;
const FIDS = 4;

/**
 * Fields of each request by its number: fid, small number of 2, 4 or 8 bytes, byte, name, names behind their count, data behind its length, u for any user.
 * Source: "9P2000.L Protocol" (diod's protocol.md).
 */
const REQUESTS: readonly (readonly [number, string])[] = [
  [8, 'f'], [12, 'f4'], [14, 'fn444'], [16, 'fnn4'], [18, 'fn4444'], [20, 'ffn'], [22, 'f'], [24, 'f8'], [26, 'f444488888'], [30, 'ffn'], [32, 'fn84'], [40, 'f84'], [50, 'f4'],
  [52, 'f14884n'], [54, 'f1884n'], [70, 'ffn'], [72, 'fn44'], [74, 'fnfn'], [76, 'fn4'], [102, '4nn'], [104, 'ffnn4'], [108, '2'],
  [110, 'ffN'], [110, 'ffN'], [110, 'ffN'], [116, 'f84'], [118, 'f8D'], [120, 'f'], [122, 'f'],
];

/** What opens a session: version, attach. */
function opening(random: Random): Uint8Array {
  if (random.below(16) === 0) return new WireWriter().u32(random.pick([8, 4096, 8192, 1 << 18])).string(random.below(16) === 0 ? '9P2000' : '9P2000.L').finish(100, 0xffff);
  return new WireWriter().u32(random.below(FIDS)).u32(0xffff_ffff).string('').string('').u32(0).finish(104, 1);
}

export function ninePMessage(random: Random): Uint8Array {
  if (random.below(8) === 0) return opening(random);
  const [type, fields] = random.pick(REQUESTS), writer = new WireWriter();
  const number = (): number => random.pick([0, 1, 2, 0x41, 0x42, 0x200, 0o100644, 0o40755, 4096, random.next() >>> 0]);
  for (const field of fields) {
    switch (field) {
      case 'f': writer.u32(random.below(16) === 0 ? random.next() >>> 0 : random.below(FIDS)); break;
      case '1': writer.u8(random.below(256)); break;
      case '2': writer.u16(random.below(0x1_0000)); break;
      case '4': writer.u32(number()); break;
      case '8': writer.u32(number()).u32(random.below(8) === 0 ? random.next() >>> 0 : 0); break;
      case 'n': writer.string(random.pick(NAMES)); break;
      case 'N': {
        const names = Array.from({ length: random.below(random.below(16) === 0 ? 20 : 4) }, () => random.pick(NAMES));
        writer.u16(names.length);
        for (const name of names) writer.string(name);
        break;
      }
      case 'D': {
        const bytes = Uint8Array.from({ length: random.below(64) }, (_, i) => i);
        writer.u32(random.below(16) === 0 ? random.next() >>> 0 : bytes.length).bytes(bytes);
      }
    }
  }
  const message = writer.finish(type, random.below(4)).slice();
  // Cut short, or with a size of its own.
  if (random.below(16) === 0) return message.subarray(0, random.below(message.length + 1));
  if (random.below(16) === 0) new DataView(message.buffer).setUint32(0, random.pick([0, 6, 7, 8, message.length + 1, random.next() >>> 0]), true);
  return message;
}
