/**
 * SMBIOS tables for the firmware, as QEMU hands them over: the structures, and an entry point whose address and checksums the firmware fills in.
 * Source: DMTF DSP0134 (System Management BIOS Reference Specification) 2.8: entry point 5.2.1, structures chapter 7.
 */

import { checkStructure, parseDevice, parseFlag, parseRelease, parseUuid, parseWhole } from './smbios-fields.ts';
import type { SmbiosOptions } from './smbios-fields.ts';

export interface SmbiosMachine {
  /** Bytes of RAM. */
  memory: number;
  machine: 'pc' | 'isapc';
  /** The firmware is ours, and its version: then there is a type 0 without being asked for. */
  firmware: string | null;
  /** What CPUID's leaf 1 says of the processor: EAX, EDX. */
  cpuid: readonly [signature: number, features: number];
}

const MAKER = 'tcg86';
const ENTRY_SIZE = 31, REVISION = 0x28;
/** What fits into the firmware's segment. */
export const SMBIOS_ROOM = 8192;
const NO_ERROR_HANDLE = 0xfffe, UNKNOWN_WIDTH = 0xffff, NO_CACHE = 0xffff;
const HANDLE_CHASSIS = 0x300, HANDLE_MEMORY = 0x1000;

/** A number in this many bytes, or a string's number: texts get theirs in the order that they come in. */
type Field = readonly [bytes: number, value: number] | string | undefined | Uint8Array;

const byte = (value: number): Field => [1, value], word = (value: number): Field => [2, value], long = (value: number): Field => [4, value], quad = (value: number): Field => [8, value];

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** @param more texts that no field names */
function structure(type: number, handle: number, fields: readonly Field[], more: readonly string[] = []): number[] {
  const body: number[] = [], texts: string[] = [];
  for (const field of fields) {
    if (field instanceof Uint8Array) body.push(...field);
    else if (typeof field === 'string' && field !== '') body.push(texts.push(field));
    else if (field === undefined || typeof field === 'string') body.push(0);
    else for (let i = 0; i < field[0]; i++) body.push(Math.floor(field[1] / 2 ** (8 * i)) & 0xff);
  }
  const strings = [...texts, ...more].flatMap((text) => [...ascii(text), 0]);
  return [type, body.length + 4, handle & 0xff, handle >> 8, ...body, ...(strings.length === 0 ? [0] : strings), 0];
}

/** @throws Error with a one-line message */
export function smbiosFiles(options: SmbiosOptions, machine: SmbiosMachine): Map<string, Uint8Array> {
  const whole = options.structures ?? [], replaced = new Set(whole.map(([type]) => type));
  for (const one of whole) checkStructure(one);
  const structures = [...whole.map((one) => [...one]), ...build(options, machine).filter(([type]) => !replaced.has(type))];
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

/** The structures of QEMU's PC, in its order. */
function build(options: SmbiosOptions, { memory, machine, firmware, cpuid }: SmbiosMachine): number[][] {
  const bios = options[0] ?? {}, system = options[1] ?? {}, board = options[2] ?? {}, chassis = options[3] ?? {}, cpu = options[4] ?? {}, module = options[17] ?? {};
  const megabytes = memory / 2 ** 20, texts = options[11] ?? [];
  if (texts.length > 255) throw new Error(`SMBIOS type 11 takes 255 texts, not ${texts.length}`);
  const product = machine === 'pc' ? 'Standard PC (i440FX + PIIX3)' : 'ISA-only PC';
  const [major, minor] = parseRelease(bios.release ?? '0.0');
  const speed = (text: string | undefined, usual: number): Field => (text === undefined ? word(usual) : parseWhole(text, 'word'));
  return [
    // Characteristics: "not supported" but for the extension bytes: ACPI; a virtual machine whose tables were made for it, and UEFI where that is said.
    ...(firmware === null && options[0] === undefined ? [] : [structure(0, 0x000, [
      bios.vendor ?? MAKER, bios.version ?? firmware ?? '', word(0xe800), bios.date ?? '01/01/2026', byte(0), quad(0x08), byte(machine === 'pc' ? 1 : 0),
      byte(0x14 | (parseFlag(bios.uefi ?? 'off') ? 8 : 0)), byte(major), byte(minor), byte(0xff), byte(0xff)])]),
    // Woken by the power switch.
    structure(1, 0x100, [system.manufacturer ?? MAKER, system.product ?? product, system.version ?? machine, system.serial, system.uuid === undefined ? new Uint8Array(16) : parseUuid(system.uuid), byte(6), system.sku, system.family]),
    // A motherboard, in the chassis below.
    ...(options[2] === undefined ? [] : [structure(2, 0x200, [board.manufacturer ?? MAKER, board.product ?? product, board.version ?? machine, board.serial, board.asset, byte(1), board.location, word(HANDLE_CHASSIS), byte(10), byte(0)])]),
    // A chassis of another kind, all of it safe, of unknown security.
    structure(3, HANDLE_CHASSIS, [chassis.manufacturer ?? MAKER, byte(1), chassis.version ?? machine, chassis.serial, chassis.asset, byte(3), byte(3), byte(3), byte(2), long(0), byte(0), byte(0), byte(0), byte(0), chassis.sku]),
    // A central processor, in its socket and enabled, with one core and thread.
    structure(4, 0x400, [`${cpu.sock_pfx ?? 'CPU'} 0`, byte(3), byte(1), cpu.manufacturer ?? MAKER, ...(cpu['processor-id'] === undefined ? [long(cpuid[0]), long(cpuid[1] >>> 0)] : [parseWhole(cpu['processor-id'], 'quad')]),
      cpu.version ?? machine, byte(0), word(0), speed(cpu['max-speed'], 1000), speed(cpu['current-speed'], 1000), byte(0x41), byte(1), word(NO_CACHE), word(NO_CACHE), word(NO_CACHE), cpu.serial, cpu.asset, cpu.part, byte(1), byte(1), byte(1), word(2), word(1)]),
    ...(options[8] ?? []).map((connector, i) => structure(8, 0x800 + i, [connector.internal_reference, byte(0), connector.external_reference, parseWhole(connector.connector_type ?? '0', 'byte'), parseWhole(connector.port_type ?? '0', 'byte')])),
    ...(texts.length === 0 ? [] : [structure(11, 0xe00, [byte(texts.length)], texts)]),
    // System memory on the board: one device, without error correction.
    structure(16, HANDLE_MEMORY, [byte(1), byte(3), byte(3), long(memory / 1024), word(NO_ERROR_HANDLE), word(1), quad(0)]),
    structure(17, 0x1100, [word(HANDLE_MEMORY), word(NO_ERROR_HANDLE), word(UNKNOWN_WIDTH), word(UNKNOWN_WIDTH), word(megabytes), byte(9), byte(0), `${module.loc_pfx ?? 'DIMM'} 0`, module.bank, byte(7), word(2), speed(module.speed, 0),
      module.manufacturer ?? MAKER, module.serial, module.asset, module.part, byte(0), long(0), speed(module.speed, 0), word(0), word(0), word(0)]),
    structure(19, 0x1300, [long(0), long(memory / 1024 - 1), word(HANDLE_MEMORY), byte(1), quad(0), quad(0)]),
    structure(32, 0x2000, [new Uint8Array(6), byte(0)]),
    // Enabled, and nowhere on a bus that is known.
    ...(options[41] ?? []).map((device, i) => structure(41, 0x2900 + i, [device.designation, byte(0x80 | parseDevice(device.kind ?? 'other')), parseWhole(device.instance ?? '1', 'byte'), word(0), byte(0), byte(0)])),
    structure(127, 0x7f00, []),
  ];
}
