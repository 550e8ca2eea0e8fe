/**
 * Unpacks .xz files: one stream, any number of blocks, LZMA2 without other filters, which is what `xz` writes.
 * Source: "The .xz File Format" 1.2.1. The checks (CRC32, CRC64, SHA-256) are not computed: whoever unpacks here knows the
 * SHA-256 of what must come out.
 */
import { LzmaDecoder } from './lzma.ts';

const HEADER = 12, FOOTER = 12;
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const LZMA2 = 0x21;
/** Bytes of the check behind a block, by its type. */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

class Reader {
  readonly bytes: Uint8Array;
  at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Error('the xz file is cut off');
    return value;
  }

  /** A number of variable length: 7 bits a byte, the lowest first. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 42) throw new Error('the xz file is damaged');
    }
  }

  word(): number {
    const high = this.byte();
    return high << 8 | this.byte();
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new Error('the xz file is cut off');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

/** Bytes of all blocks together, from the index, which stands before the footer. */
function unpackedSize(file: Uint8Array): number {
  const footer = file.subarray(file.length - FOOTER);
  if (footer[10] !== 0x59 || footer[11] !== 0x5a) throw new Error('the xz file is cut off');
  const indexSize = ((footer[4]! | footer[5]! << 8 | footer[6]! << 16) + footer[7]! * 2 ** 24 + 1) * 4;
  const index = new Reader(file, file.length - FOOTER - indexSize);
  if (index.at < HEADER || index.byte() !== 0) throw new Error('the xz file is damaged');
  let size = 0;
  for (let records = index.number(); records > 0; records--) {
    index.number();
    size += index.number();
  }
  return size;
}

/** The block header's filters: LZMA2, and nothing else. */
function checkHeader(reader: Reader, headerSize: number): void {
  const end = reader.at - 1 + headerSize;
  const flags = reader.byte();
  if ((flags & 0x40) !== 0) reader.number();
  if ((flags & 0x80) !== 0) reader.number();
  if ((flags & 3) !== 0 || reader.number() !== LZMA2) throw new Error('the xz file uses a filter other than LZMA2');
  reader.at = end;
}

function unpackBlock(reader: Reader, decoder: LzmaDecoder): void {
  for (let control = reader.byte(); control !== 0; control = reader.byte()) {
    if (control === 1) decoder.resetDictionary();
    if (control < 0x80) {
      if (control > 2) throw new Error('the xz file is damaged');
      decoder.copy(reader.take(reader.word() + 1));
      continue;
    }
    const size = ((control & 0x1f) << 16) + reader.word() + 1;
    const packed = reader.word() + 1;
    const reset = control >> 5 & 3;
    if (reset === 3) decoder.resetDictionary();
    if (reset >= 2) decoder.setProperties(reader.byte());
    if (reset >= 1) decoder.resetState();
    decoder.decode(reader.take(packed), size);
  }
}

/**
 * What is packed in an .xz file of at most `limit` bytes when unpacked.
 * @throws Error with a one-line reason: no such file, cut, damaged, a filter that is not supported, too large
 */
export function unpackXz(file: Uint8Array, limit: number): Uint8Array {
  if (MAGIC.some((byte, index) => file[index] !== byte)) throw new Error('not an xz file');
  if (file.length < HEADER + FOOTER) throw new Error('the xz file is cut off');
  const size = unpackedSize(file);
  if (size > limit) throw new Error(`the xz file holds ${size} bytes, more than ${limit}`);
  const out = new Uint8Array(size);
  const decoder = new LzmaDecoder(out);
  const reader = new Reader(file, HEADER);
  for (let header = reader.byte(); header !== 0; header = reader.byte()) {
    checkHeader(reader, (header + 1) * 4);
    unpackBlock(reader, decoder);
    reader.at = (reader.at + 3 & ~3) + CHECK_SIZES[file[7]! & 15]!;
  }
  if (decoder.position !== size) throw new Error('the xz file is damaged');
  return out;
}
