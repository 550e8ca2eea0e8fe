/**
 * Keys by the numbers of Linux' input layer, which virtio-input uses. Those of the first keyboards are their scan codes of set 1; the table
 * holds the others. Source: VIRTIO 1.1, section 5.8 (OASIS), which names Linux' input event codes.
 */
import { keyCodes } from './ps2-keys.ts';

/** By set 1 code. */
const OTHERS: ReadonlyMap<number, number> = new Map([
  [0x54, 99], [0x59, 117], [0x70, 93], [0x73, 89], [0x76, 194], [0x77, 91], [0x79, 92], [0x7b, 94], [0x7d, 124], [0x7e, 121],
  ...Array.from({ length: 11 }, (_, i): [number, number] => [0x64 + i, 183 + i]),
  [0xe010, 165], [0xe019, 163], [0xe01c, 96], [0xe01d, 97], [0xe020, 113], [0xe021, 140], [0xe022, 164], [0xe024, 166], [0xe02e, 114], [0xe030, 115],
  [0xe032, 172], [0xe035, 98], [0xe037, 99], [0xe038, 100], [0xe046, 119], [0xe047, 102], [0xe048, 103], [0xe049, 104], [0xe04b, 105], [0xe04d, 106],
  [0xe04f, 107], [0xe050, 108], [0xe051, 109], [0xe052, 110], [0xe053, 111], [0xe05b, 125], [0xe05c, 126], [0xe05d, 127], [0xe05e, 116], [0xe05f, 142],
  [0xe063, 143], [0xe065, 136], [0xe066, 156], [0xe067, 173], [0xe068, 128], [0xe069, 159], [0xe06a, 158], [0xe06b, 157], [0xe06c, 155], [0xe06d, 226],
]);

/** The number of a key by its QEMU name. @throws Error for a name that there is not */
export function evdevKey(name: string): number {
  const { set1 } = keyCodes(name);
  return OTHERS.get(set1) ?? set1;
}
