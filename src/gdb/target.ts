/**
 * A target's registers: which there are, in what order the `g` packet has them, and how many bits each (gdb manual, appendix G: target
 * descriptions). Only `reg` and `xi:include` of the description are read.
 */
export interface Register {
  readonly name: string;
  readonly bits: number;
  /** Where it begins in the data of `g`: hex digits. */
  readonly at: number;
}

/** Reads a description. @param include gives the file of an `xi:include` */
export async function parseTarget(xml: string, include: (file: string) => Promise<string>): Promise<Register[]> {
  const flat = await withIncludes(xml, include);
  let at = 0;
  return [...flat.matchAll(/<reg\s([^>]*)>/g)].map(([, attributes]) => {
    const name = attribute(attributes!, 'name'), bits = Number(attribute(attributes!, 'bitsize'));
    if (name === '' || !Number.isInteger(bits) || bits <= 0 || bits % 8 !== 0) throw new Error(`the target describes a register that has no name or size: ${attributes}`);
    const register = { name, bits, at };
    at += bits / 4;
    return register;
  });
}

async function withIncludes(xml: string, include: (file: string) => Promise<string>): Promise<string> {
  const bare = xml.replaceAll(/<!--[^]*?-->/g, '');
  let text = '', from = 0;
  for (const match of bare.matchAll(/<xi:include\s([^>]*)>/g)) {
    text += bare.slice(from, match.index) + await withIncludes(await include(attribute(match[1]!, 'href')), include);
    from = match.index + match[0].length;
  }
  return text + bare.slice(from);
}

const attribute = (attributes: string, name: string): string => new RegExp(`(?:^|\\s)${name}\\s*=\\s*["']([^"']*)["']`).exec(attributes)?.[1] ?? '';

/** A register's words of 32 bits, the lowest first; null if the target does not know its value. */
export function wordsOf({ bits, at }: Register, data: string): number[] | null {
  const digits = data.slice(at, at + bits / 4);
  if (digits.length < bits / 4 || digits.includes('x')) return null;
  const words = new Array<number>(Math.ceil(bits / 32)).fill(0);
  for (let byte = 0; byte < bits / 8; byte++) words[byte >> 2]! |= Number.parseInt(digits.slice(2 * byte, 2 * byte + 2), 16) << (byte & 3) * 8;
  return words;
}
