/** Sizes and times as qemu-img writes and reads them. */

const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Three significant digits in the unit in which they are below 1000. */
export function sizeText(bytes: number): string {
  let unit = 0;
  for (let rest = bytes; rest >= 1000; rest /= 1024) unit++;
  return `${Number((bytes / 1024 ** unit).toPrecision(3))} ${UNITS[unit]}B`;
}

/** A number of bytes, with k, M, G, T, P or E for powers of 1024; null for what is none. */
export function parseBytes(text: string): number | null {
  const match = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)([bkmgtpe]?)$/i.exec(text);
  if (match === null) return null;
  const scale = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5, e: 6 }[match[2]!.toLowerCase()] ?? 0;
  const bytes = Number(match[1]) * 1024 ** scale;
  return Number.isSafeInteger(Math.trunc(bytes)) ? Math.trunc(bytes) : null;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Local time. */
export function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Hours, minutes, seconds and milliseconds of a virtual clock in nanoseconds. */
export function clockText(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n), seconds = Math.floor(milliseconds / 1000);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(milliseconds % 1000).padStart(3, '0')}`;
}

/** JSON in qemu-img's layout. */
export function jsonText(value: unknown): string {
  // Sizes are below 2^53; clocks and counters may not be.
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? Number(one) : one), 4);
  return text.replaceAll(/^( *)(.*)\[\](,?)$/gm, '$1$2[\n$1]$3');
}
