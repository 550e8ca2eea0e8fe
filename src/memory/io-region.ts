/**
 * The one shape in which a device shows registers to the outside: a named range of offsets.
 * The port bus and the address space both take it; they translate addresses to offsets, so a device never sees an address.
 */

/** An access size in bytes. */
export type AccessSize = 1 | 2 | 4;

export interface IoRegion {
  /** Shown by `info mtree` and in error messages, e.g. `i8254`. */
  readonly name: string;
  /** Length in bytes (ports: number of ports). */
  readonly size: number;
  /** Smallest and largest access that read/write accept; the bus splits larger ones into consecutive offsets (little-endian) and widens smaller ones. */
  readonly minAccess: AccessSize;
  readonly maxAccess: AccessSize;
  /** The value read, in its low `size` bytes; upper bits are ignored by the caller. */
  read(offset: number, size: AccessSize): number;
  /** `value` has no bits set above `size` bytes (a 32-bit value arrives as int32). */
  write(offset: number, value: number, size: AccessSize): void;
}
