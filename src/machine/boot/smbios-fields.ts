/** What can be chosen of the SMBIOS structures: the fields of QEMU's -smbios by structure type, and what each may be. Source: qemu(1). */

type Kind = 'text' | 'byte' | 'word' | 'quad' | 'flag' | 'uuid' | 'release' | 'device';

export const SMBIOS_FIELDS = {
  0: { vendor: 'text', version: 'text', date: 'text', release: 'release', uefi: 'flag' },
  1: { manufacturer: 'text', product: 'text', version: 'text', serial: 'text', uuid: 'uuid', sku: 'text', family: 'text' },
  2: { manufacturer: 'text', product: 'text', version: 'text', serial: 'text', asset: 'text', location: 'text' },
  3: { manufacturer: 'text', version: 'text', serial: 'text', asset: 'text', sku: 'text' },
  4: { sock_pfx: 'text', manufacturer: 'text', version: 'text', serial: 'text', asset: 'text', part: 'text', 'max-speed': 'word', 'current-speed': 'word', 'processor-id': 'quad' },
  8: { external_reference: 'text', internal_reference: 'text', connector_type: 'byte', port_type: 'byte' },
  17: { loc_pfx: 'text', bank: 'text', manufacturer: 'text', serial: 'text', asset: 'text', part: 'text', speed: 'word' },
  41: { designation: 'text', kind: 'device', instance: 'byte' },
} as const satisfies Record<number, Record<string, Kind>>;

export type SmbiosType = keyof typeof SMBIOS_FIELDS;
export type SmbiosFields<T extends SmbiosType> = { readonly [F in keyof (typeof SMBIOS_FIELDS)[T]]?: string };

/** Fields by structure type; of 8 (connectors) and 41 (devices on the board) there can be several, 11 is a list of texts. */
export interface SmbiosOptions {
  readonly 0?: SmbiosFields<0>;
  readonly 1?: SmbiosFields<1>;
  readonly 2?: SmbiosFields<2>;
  readonly 3?: SmbiosFields<3>;
  readonly 4?: SmbiosFields<4>;
  readonly 8?: readonly SmbiosFields<8>[];
  readonly 11?: readonly string[];
  readonly 17?: SmbiosFields<17>;
  readonly 41?: readonly SmbiosFields<41>[];
  /** Whole structures with their texts, in place of those of their types. */
  readonly structures?: readonly Uint8Array[];
}

/** Devices on the board: their numbers are 1 and up (7.42.2). */
const DEVICE_KINDS = ['other', 'unknown', 'video', 'scsi', 'ethernet', 'tokenring', 'sound', 'pata', 'sata', 'sas'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BITS = { byte: 8, word: 16, quad: 64 } as const;
/** Structure header: type, length, handle; two zeros end the texts behind it. */
const HEADER = 4, END = 2;
/** The last structure type of a table. */
const END_OF_TABLE = 127;

/** A UUID's 16 bytes in the order of its text. @throws Error */
export function uuidBytes(text: string): Uint8Array {
  if (!UUID.test(text)) throw new Error(`'${text}' is no UUID like 550e8400-e29b-41d4-a716-446655440000`);
  return Uint8Array.from(text.replaceAll('-', '').match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

/** As SMBIOS has it: the first three groups are little-endian (7.2.1). @throws Error */
export function parseUuid(text: string): Uint8Array {
  const bytes = uuidBytes(text);
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], (at) => bytes[at]!);
}

/** The two numbers of a release. @throws Error */
export function parseRelease(text: string): [major: number, minor: number] {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  if (major === undefined || Number(major) > 255 || Number(minor) > 255) throw new Error(`'${text}' is no release like 1.2`);
  return [Number(major), Number(minor)];
}

export function parseFlag(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new Error(`'${text}' is neither on nor off`);
  return text === 'on';
}

/** The number of a kind of device. @throws Error */
export function parseDevice(text: string): number {
  const at = DEVICE_KINDS.indexOf(text);
  if (at < 0) throw new Error(`'${text}' is no kind of device (${DEVICE_KINDS.join(', ')})`);
  return at + 1;
}

/** A number as little-endian bytes. @throws Error */
export function parseWhole(text: string, kind: keyof typeof BITS): Uint8Array {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : null, bits = BITS[kind];
  if (value === null || value >> BigInt(bits) !== 0n) throw new Error(`'${text}' is not a number of ${bits} bits`);
  return Uint8Array.from({ length: bits / 8 }, (_, i) => Number(value >> BigInt(8 * i) & 0xffn));
}

/** @throws Error with one line for a text that the field cannot be */
export function checkField(type: SmbiosType, field: string, text: string): void {
  const kind = (SMBIOS_FIELDS[type] as Record<string, Kind>)[field]!;
  if (kind === 'uuid') parseUuid(text);
  else if (kind === 'release') parseRelease(text);
  else if (kind === 'flag') parseFlag(text);
  else if (kind === 'device') parseDevice(text);
  else if (kind === 'text') checkText(text);
  else parseWhole(text, kind);
}

/** @throws Error for what is not ASCII */
export function checkText(text: string): void {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error(`'${text}' is not ASCII text`);
}

/** @throws Error for what is not one structure with its texts */
export function checkStructure(bytes: Uint8Array): void {
  const length = bytes[1] ?? 0;
  if (length < HEADER || bytes.length < length + END) throw new Error('it is shorter than its header says');
  let at = length;
  while (at + 1 < bytes.length && (bytes[at] !== 0 || bytes[at + 1] !== 0)) at++;
  if (at + END !== bytes.length) throw new Error('it is not one structure that two zeros end');
  if (bytes[0]! >= END_OF_TABLE) throw new Error(`structure type ${bytes[0]} is not one of 0 to ${END_OF_TABLE - 1}`);
}
