/**
 * Packed integer instructions whose lanes lie within 32 bits, as JavaScript over one word of each operand: `a` the destination's, `b`
 * the source's. Helpers are made of the text, one for 8 bytes and one for 16, so that V8 sees each on its own. SDM vol. 2.
 */

type Lane = (x: string, y: string) => string;

/** Four bytes, two words: `f` sees them sign-extended (s) or zero-extended (u); of its value the low bits count. */
function bytes(signed: boolean, f: Lane): string {
  const lane = (word: string, at: number): string => (signed ? `(${word} << ${24 - at} >> 24)` : `(${word} >>> ${at} & 255)`);
  return [0, 8, 16, 24].map((at) => `(${f(lane('a', at), lane('b', at))} & 255) << ${at}`).join(' | ');
}
function words(signed: boolean, f: Lane): string {
  const low = (word: string): string => (signed ? `(${word} << 16 >> 16)` : `(${word} & 65535)`), high = (word: string): string => `(${word} ${signed ? '>>' : '>>>'} 16)`;
  return `${f(low('a'), low('b'))} & 65535 | (${f(high('a'), high('b'))}) << 16`;
}
const sb = (f: Lane): string => bytes(true, f), ub = (f: Lane): string => bytes(false, f), sw = (f: Lane): string => words(true, f), uw = (f: Lane): string => words(false, f);
const clamp = (value: string, low: number, high: number): string => `Math.min(Math.max(${value}, ${low}), ${high})`;
const choose = (condition: string): string => `(${condition} ? -1 : 0)`;

const HIGH = '-2139062144', LOW = '2139062143';

/** By mnemonic. */
export const LANES: Readonly<Record<string, string>> = {
  PADDB: `(a & ${LOW}) + (b & ${LOW}) ^ (a ^ b) & ${HIGH}`,
  PADDW: 'a + b & 65535 | (a & -65536) + (b & -65536)',
  PADDD: 'a + b | 0',
  PSUBB: `(a | ${HIGH}) - (b & ${LOW}) ^ (a ^ ~b) & ${HIGH}`,
  PSUBW: 'a - b & 65535 | (a & -65536) - (b & -65536)',
  PSUBD: 'a - b | 0',
  PADDSB: sb((x, y) => clamp(`${x} + ${y}`, -128, 127)),
  PADDSW: sw((x, y) => clamp(`${x} + ${y}`, -32768, 32767)),
  PADDUSB: ub((x, y) => `Math.min(${x} + ${y}, 255)`),
  PADDUSW: uw((x, y) => `Math.min(${x} + ${y}, 65535)`),
  PSUBSB: sb((x, y) => clamp(`${x} - ${y}`, -128, 127)),
  PSUBSW: sw((x, y) => clamp(`${x} - ${y}`, -32768, 32767)),
  PSUBUSB: ub((x, y) => `Math.max(${x} - ${y}, 0)`),
  PSUBUSW: uw((x, y) => `Math.max(${x} - ${y}, 0)`),
  PAND: 'a & b',
  PANDN: '~a & b',
  POR: 'a | b',
  PXOR: 'a ^ b',
  PCMPEQB: `Math.imul(~((((a ^ b) & ${LOW}) + ${LOW}) | a ^ b | ${LOW}) >>> 7, 255)`,
  PCMPEQW: uw((x, y) => choose(`${x} === ${y}`)),
  PCMPEQD: choose('a === b'),
  PCMPGTB: sb((x, y) => choose(`${x} > ${y}`)),
  PCMPGTW: sw((x, y) => choose(`${x} > ${y}`)),
  PCMPGTD: choose('a > b'),
  PMAXUB: ub((x, y) => `Math.max(${x}, ${y})`),
  PMINUB: ub((x, y) => `Math.min(${x}, ${y})`),
  PMAXSW: sw((x, y) => `Math.max(${x}, ${y})`),
  PMINSW: sw((x, y) => `Math.min(${x}, ${y})`),
  PAVGB: ub((x, y) => `(${x} + ${y} + 1 >> 1)`),
  PAVGW: uw((x, y) => `(${x} + ${y} + 1 >> 1)`),
  PMULLW: sw((x, y) => `Math.imul(${x}, ${y})`),
  PMULHW: sw((x, y) => `(Math.imul(${x}, ${y}) >> 16)`),
  PMULHUW: uw((x, y) => `(Math.imul(${x}, ${y}) >>> 16)`),
  PMADDWD: 'Math.imul(a << 16 >> 16, b << 16 >> 16) + Math.imul(a >> 16, b >> 16) | 0',
};
/** The same bits under other names: packed floats as bits. */
export const SAME_AS: Readonly<Record<string, string>> = {
  ANDPS: 'PAND', ANDPD: 'PAND', ANDNPS: 'PANDN', ANDNPD: 'PANDN', ORPS: 'POR', ORPD: 'POR', XORPS: 'PXOR', XORPD: 'PXOR',
};

/** (destination slot, source slot) => void, over `count` words. */
export function laneFunction(R: Int32Array, expression: string, count: 2 | 4): (d: number, s: number) => void {
  const steps = Array.from({ length: count }, (_, i) => `a = R[d + ${i}]; b = R[s + ${i}]; R[d + ${i}] = ${expression};`);
  return new Function('R', `return function (d, s) { let a = 0, b = 0; ${steps.join(' ')} };`)(R) as (d: number, s: number) => void;
}
