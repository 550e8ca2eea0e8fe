/** Sections of a flat binary and where they end up (NASM manual, 8.1). */
import { LineError } from './errors.ts';

export class Section {
  readonly kind = 'section';
  readonly name: string;
  /** No bytes in the file. */
  nobits: boolean;
  alignment: number;
  /** Attributes as written. */
  start: number | null = null;
  virtualStart: number | null = null;
  virtualAlignment = 0;
  follows: string | null = null;
  virtualFollows: string | null = null;
  /** Assembly position in this pass, from the section's start. */
  offset = 0;
  /** Length after the last pass. */
  length = 0;
  /** Addresses from the layout: `address` decides the place in the file, `base` the value of labels. */
  address = 0;
  base = 0;
  bytes = new Uint8Array(0);
  /** One of nasm's three standard sections: there without being asked for. */
  readonly standard: boolean;

  constructor(name: string, nobits: boolean, alignment: number, standard: boolean) {
    this.name = name;
    this.nobits = nobits;
    this.alignment = alignment;
    this.standard = standard;
  }

  /** Writes at the current position and moves on. */
  append(bytes: ArrayLike<number>): void {
    const end = this.offset + bytes.length;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.bytes.length * 2, 4096));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(bytes, this.offset);
    this.offset = end;
  }
}

export function createSection(name: string): Section {
  switch (name) {
    case '.text':
      return new Section(name, false, 1, true);
    case '.data':
      return new Section(name, false, 4, true);
    case '.bss':
      return new Section(name, true, 4, true);
    default:
      return new Section(name, false, 4, false);
  }
}

const alignUp = (value: number, alignment: number): number => (alignment > 1 ? Math.ceil(value / alignment) * alignment : value);

function find(sections: readonly Section[], name: string): Section {
  const found = sections.find((section) => section.name === name);
  if (found === undefined) throw new LineError(`section ${name} is not defined`);
  return found;
}

/** Progbits sections in file order: those with a start by it, the others where they were declared, `follows` behind its target. */
function fileOrder(sections: readonly Section[]): Section[] {
  const order: Section[] = [];
  const rank = (section: Section): number => ['.text', '.data'].indexOf(section.name);
  const waiting = sections.filter((section) => !section.nobits && (section.length > 0 || section.start !== null || !section.standard));
  const standard = waiting.filter((section) => section.standard).sort((a, b) => rank(a) - rank(b));
  for (const section of [...standard, ...waiting.filter((other) => !other.standard)]) {
    if (section.follows === null && section.start === null) order.push(section);
  }
  const placed = waiting.filter((section) => section.start !== null).sort((a, b) => a.start! - b.start!);
  order.push(...placed);
  for (const section of waiting.filter((other) => other.follows !== null)) {
    const at = order.findIndex((other) => other.name === section.follows);
    if (at < 0) throw new LineError(`section ${section.name} follows ${section.follows}, which is not there`);
    order.splice(at + 1, 0, section);
  }
  return order;
}

/** Gives every section its address and label base. `origin` is ORG's. Throws LineError for overlaps and missing sections. */
export function layOut(sections: readonly Section[], origin: number): Section[] {
  const order = fileOrder(sections);
  let at = origin;
  for (const section of order) {
    const address = section.start ?? alignUp(at, section.alignment);
    if (address < at) throw new LineError(`section ${section.name} starts inside the one before it`);
    section.address = address;
    at = address + section.length;
  }
  for (const section of sections.filter((other) => other.nobits)) {
    const previous = section.follows === null ? null : find(sections, section.follows);
    section.address = section.start ?? alignUp(previous === null ? at : previous.address + previous.length, section.alignment);
    if (section.start === null && previous === null) at = section.address + section.length;
  }
  for (const section of sections) {
    section.base = section.virtualStart ?? section.address;
    if (section.virtualFollows !== null) {
      const previous = find(sections, section.virtualFollows);
      section.base = alignUp(previous.base + previous.length, section.virtualAlignment || section.alignment);
    }
  }
  return order;
}

/** The file: sections at their address less the origin, gaps zero. */
export function joinSections(order: readonly Section[], origin: number): Uint8Array {
  const used = order.filter((section) => section.length > 0);
  const end = used.reduce((max, section) => Math.max(max, section.address + section.length - origin), 0);
  const file = new Uint8Array(end);
  for (const section of used) {
    if (section.address < origin) throw new LineError(`section ${section.name} starts below the origin`);
    file.set(section.bytes.subarray(0, section.length), section.address - origin);
  }
  return file;
}
