/**
 * The MA space (machine addresses): one host buffer below 2 GiB that holds guest RAM, ROM and video memory, so that
 * the fast tables can turn any of them into one typed-array access, and the sign bit is free to mean "not plain memory".
 */

export const PAGE_SIZE = 4096;
/** Largest MA space; fast-table results must stay non-negative int32. */
export const MAX_HOST_MEMORY = 0x7fff_f000;

export class HostMemory {
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #next = 0;

  /**
   * @param size bytes, rounded up to whole pages.
   * @throws RangeError if it is over 2 GiB - 4 KiB or the host cannot give it.
   */
  constructor(size: number) {
    this.size = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    if (this.size > MAX_HOST_MEMORY) throw new RangeError('guest memory must be below 2 GiB');
    const buffer = new ArrayBuffer(this.size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Takes the next `size` bytes (whole pages) and returns their MA. */
  allocate(size: number): number {
    const ma = this.#next;
    this.#next += Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    if (this.#next > this.size) throw new RangeError('host memory is used up');
    return ma;
  }
}
