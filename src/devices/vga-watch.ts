/**
 * Which rows of the text screen the guest has written to. The screen's text alone does not say whether a row that reads as
 * before was left alone or written anew, or came up again after a screenful of others: who waits for a prompt needs to know.
 */
import { GR_MISC, MISC_GRAPHICS, PLANE_SIZE, startAddress } from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import type { VgaMemory } from './vga-memory.ts';
import { rowsMarked } from './vga-text.ts';

export class TextWatch {
  readonly #fields: VgaFields;
  readonly #memory: VgaMemory;
  /** 1 for each character of plane 0 that has changed since the last look. */
  readonly #marks = new Uint8Array(PLANE_SIZE);
  #count = 0;
  #start = -1;

  constructor(fields: VgaFields, memory: VgaMemory) {
    this.#fields = fields;
    this.#memory = memory;
  }

  /** Starts watching; `many` is called when `limit` characters have changed since the last look. */
  begin(limit: number, many: () => void): void {
    this.#memory.onChange = (offset) => {
      if ((this.#fields.graphics[GR_MISC] & MISC_GRAPHICS) !== 0) return;
      this.#marks[offset] = 1;
      if (++this.#count === limit) many();
    };
  }

  /**
   * For each row of the screen: 1 if a character in it has changed since the last look. All of them are 1 if the screen
   * starts at another address now. null in graphics modes and before a mode is set.
   */
  look(): Uint8Array | null {
    const start = startAddress(this.#fields.crtc);
    const graphics = (this.#fields.graphics[GR_MISC] & MISC_GRAPHICS) !== 0;
    const rows = graphics ? null : rowsMarked(this.#fields, this.#marks);
    if (start !== this.#start) rows?.fill(1);
    this.#start = start;
    if (this.#count > 0) this.#marks.fill(0);
    this.#count = 0;
    return rows;
  }
}
