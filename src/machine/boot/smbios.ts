/**
 * SMBIOS tables for the firmware, as QEMU hands them over: the structures, and an entry point whose address and checksums the firmware fills in.
 * Source: DMTF DSP0134 (System Management BIOS Reference Specification) 2.8: entry point 5.2.1, structures chapter 7.
 */

/** Fields that can be chosen, by structure type: those of QEMU's -smbios. */
export const SMBIOS_FIELDS = {
  0: ['vendor', 'version', 'date', 'release'],
  1: ['manufacturer', 'product', 'version', 'serial', 'uuid', 'sku', 'family'],
  3: ['manufacturer', 'version', 'serial', 'asset', 'sku'],
} as const;

export type SmbiosType = keyof typeof SMBIOS_FIELDS;
export type SmbiosOptions = { readonly [T in SmbiosType]?: Readonly<Partial<Record<(typeof SMBIOS_FIELDS)[T][number], string>>> };

export interface SmbiosMachine {
  /** Bytes of RAM. */
  memory: number;
  machine: 'pc' | 'isapc';
  /** The firmware is ours, and its version: then there is a type 0 without being asked for. */
  firmware: string | null;
}

const MAKER = 'tcg86';
const ENTRY_SIZE = 31, REVISION = 0x28;
/** What fits into the firmware's segment. */
export const SMBIOS_ROOM = 1536;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NO_ERROR_HANDLE = 0xfffe, UNKNOWN_WIDTH = 0xffff, NO_CACHE = 0xffff;
const HANDLE_MEMORY = 0x1000;

/** A number in this many bytes, or a string's number: texts get theirs in the order that they come in. */
type Field = readonly [bytes: number, value: number] | string | undefined | Uint8Array;

const byte = (value: number): Field => [1, value], word = (value: number): Field => [2, value], long = (value: number): Field => [4, value], quad = (value: number): Field => [8, value];

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** 16 bytes; the first three groups are little-endian (7.2.1). @throws Error */
export function parseUuid(text: string): Uint8Array {
  if (!UUID.test(text)) throw new Error(`'${text}' is no UUID like 550e8400-e29b-41d4-a716-446655440000`);
  const bytes = Uint8Array.from(text.replaceAll('-', '').match(/../g)!, (pair) => Number.parseInt(pair, 16));
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], (at) => bytes[at]!);
}

/** The two numbers of a release. @throws Error */
export function parseRelease(text: string): [major: number, minor: number] {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  if (major === undefined || Number(major) > 255 || Number(minor) > 255) throw new Error(`'${text}' is no release like 1.2`);
  return [Number(major), Number(minor)];
}

function structure(type: number, handle: number, fields: readonly Field[]): number[] {
  const body: number[] = [], texts: string[] = [];
  for (const field of fields) {
    if (field instanceof Uint8Array) body.push(...field);
    else if (typeof field === 'string' && field !== '') body.push(texts.push(field));
    else if (field === undefined || typeof field === 'string') body.push(0);
    else for (let i = 0; i < field[0]; i++) body.push(Math.floor(field[1] / 2 ** (8 * i)) & 0xff);
  }
  const strings = texts.flatMap((text) => [...ascii(text), 0]);
  return [type, body.length + 4, handle & 0xff, handle >> 8, ...body, ...(strings.length === 0 ? [0] : strings), 0];
}

/** @throws Error with a one-line message */
export function smbiosFiles(options: SmbiosOptions, { memory, machine, firmware }: SmbiosMachine): Map<string, Uint8Array> {
  const bios = options[0] ?? {}, system = options[1] ?? {}, chassis = options[3] ?? {}, megabytes = memory / 2 ** 20;
  const product = machine === 'pc' ? 'Standard PC (i440FX + PIIX3)' : 'ISA-only PC';
  const [major, minor] = parseRelease(bios.release ?? '0.0');
  const structures = [
    // Characteristics: "not supported" but for the extension bytes: ACPI, and that this is a virtual machine.
    ...(firmware === null && options[0] === undefined ? [] : [structure(0, 0x000, [
      bios.vendor ?? MAKER, bios.version ?? firmware ?? '', word(0xe800), bios.date ?? '01/01/2026', byte(0), quad(0x08), byte(machine === 'pc' ? 1 : 0), byte(0x14), byte(major), byte(minor), byte(0xff), byte(0xff)])]),
    // Woken by the power switch.
    structure(1, 0x100, [system.manufacturer ?? MAKER, system.product ?? product, system.version ?? machine, system.serial, system.uuid === undefined ? new Uint8Array(16) : parseUuid(system.uuid), byte(6), system.sku, system.family]),
    // A chassis of another kind, all of it safe, of unknown security.
    structure(3, 0x300, [chassis.manufacturer ?? MAKER, byte(1), chassis.version ?? machine, chassis.serial, chassis.asset, byte(3), byte(3), byte(3), byte(2), long(0), byte(0), byte(0), byte(0), byte(0), chassis.sku]),
    // A central processor, in its socket and enabled, with one core and thread.
    structure(4, 0x400, ['CPU 0', byte(3), byte(1), MAKER, quad(0), machine, byte(0), word(0), word(1000), word(1000), byte(0x41), byte(1), word(NO_CACHE), word(NO_CACHE), word(NO_CACHE), undefined, undefined, undefined, byte(1), byte(1), byte(1), word(2), word(1)]),
    // System memory on the board: one device, without error correction.
    structure(16, HANDLE_MEMORY, [byte(1), byte(3), byte(3), long(memory / 1024), word(NO_ERROR_HANDLE), word(1), quad(0)]),
    structure(17, 0x1100, [word(HANDLE_MEMORY), word(NO_ERROR_HANDLE), word(UNKNOWN_WIDTH), word(UNKNOWN_WIDTH), word(megabytes), byte(9), byte(0), 'DIMM 0', undefined, byte(7), word(2), word(0), MAKER, undefined, undefined, undefined, byte(0), long(0), word(0), word(0), word(0), word(0)]),
    structure(19, 0x1300, [long(0), long(memory / 1024 - 1), word(HANDLE_MEMORY), byte(1), quad(0), quad(0)]),
    structure(32, 0x2000, [new Uint8Array(6), byte(0)]),
    structure(127, 0x7f00, []),
  ];
  const tables = Uint8Array.from(structures.flat());
  if (tables.length > SMBIOS_ROOM) throw new Error(`SMBIOS tables of ${tables.length} bytes: there is room for ${SMBIOS_ROOM}`);
  const anchor = new DataView(new ArrayBuffer(ENTRY_SIZE)), bytes = new Uint8Array(anchor.buffer);
  bytes.set(ascii('_SM_'), 0);
  bytes.set([ENTRY_SIZE, REVISION >> 4, REVISION & 15], 5);
  anchor.setUint16(8, Math.max(...structures.map(({ length }) => length)), true);
  bytes.set(ascii('_DMI_'), 16);
  anchor.setUint16(22, tables.length, true);
  anchor.setUint16(28, structures.length, true);
  bytes[30] = REVISION;
  return new Map([['etc/smbios/smbios-anchor', bytes], ['etc/smbios/smbios-tables', tables]]);
}
