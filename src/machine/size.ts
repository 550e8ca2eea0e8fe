/** Memory sizes as QEMU writes them. */
const UNITS: Record<string, number> = { '': 2 ** 20, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes of a size: a number with K, M, G or T, MiB without. @throws RangeError for anything else. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw new RangeError(`'${text}' is not a size (like 16M or 1G)`);
  return Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
}
