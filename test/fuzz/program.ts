/** Instructions in the making: bytes with references to other instructions, laid out when all are there. */
import * as L from './layout.ts';

/** `relative`: to the end of the instruction. `offset`: added to the target's offset in CODE (for EIPs, addresses). */
export interface Reference {
  readonly at: number;
  readonly size: 1 | 2 | 4;
  readonly relative: boolean;
  /** Number of the instruction that is meant; kept within the program. */
  readonly target: number;
  readonly offset: number;
}

export interface Piece {
  readonly bytes: number[];
  readonly references: readonly Reference[];
}

export class Program {
  readonly pieces: Piece[] = [];

  /** Number of the next instruction. */
  get next(): number {
    return this.pieces.length;
  }

  add(bytes: readonly number[], ...references: Reference[]): void {
    this.pieces.push({ bytes: [...bytes], references });
  }

  /** Hexadecimal bytes by instruction. `start`: offset in CODE of the first. What does not fit in CODE is left out. */
  layOut(start: number): string[] {
    const offsets: number[] = [];
    let at = start;
    for (const { bytes } of this.pieces) {
      if (at + bytes.length > L.CODE_SIZE - 16) break;
      offsets.push(at);
      at += bytes.length;
    }
    const count = offsets.length;
    offsets.push(at);
    return this.pieces.slice(0, count).map(({ bytes, references }, number) => {
      for (const reference of references) resolve(bytes, reference, number, offsets);
      return Buffer.from(bytes).toString('hex');
    });
  }
}

function resolve(bytes: number[], { at, size, relative, target, offset }: Reference, number: number, offsets: readonly number[]): void {
  let index = Math.max(0, Math.min(target, offsets.length - 1));
  const end = offsets[number + 1]!;
  // A short jump goes as far as it can.
  while (relative && size === 1 && Math.abs(offsets[index]! - end) > 120) index += index < number ? 1 : -1;
  const value = relative ? offsets[index]! - end : offsets[index]! + offset;
  for (let i = 0; i < size; i++) bytes[at + i] = value >> 8 * i & 0xff;
}
