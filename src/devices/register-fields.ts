/** A block of registers given as fields. An access meets the fields that lie in it whole; parts of a field can be read, not written. */
import type { AccessSize } from '../memory/io-region.ts';

export interface Field {
  readonly at: number;
  readonly size: AccessSize;
  readonly get: () => number;
  readonly set?: (value: number) => void;
}

/** Places without a field read as zero. */
export function readField(fields: readonly Field[], offset: number, size: AccessSize): number {
  let value = 0;
  for (const field of fields) {
    if (field.at >= offset + size || field.at + field.size <= offset) continue;
    const shift = 8 * (field.at - offset);
    value |= shift >= 0 ? field.get() << shift : field.get() >>> -shift;
  }
  return value;
}

export function writeField(fields: readonly Field[], offset: number, value: number, size: AccessSize): void {
  for (const { at, size: length, set } of fields) {
    if (set === undefined || at < offset || at + length > offset + size) continue;
    const part = value >>> (8 * (at - offset));
    set(length === 4 ? part : part & (2 ** (8 * length) - 1));
  }
}
