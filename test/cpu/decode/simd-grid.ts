/**
 * MMX, SSE, SSE2 and SSE3 encodings, 0F 00 to 0F FF, by mandatory prefix: derived from what GNU objdump gives, not from the rows.
 * `_` no such instruction under any prefix, `.` undefined under this one, `n` nothing follows; with ModRM: `M` any form, `m` memory only,
 * `r` register only, `B` and `s` the same (any, register) and a byte; `g` by ModRM.reg: GROUPS.
 */
const GRIDS: Readonly<Record<string, string>> = {
  NP: `
  ________________ MMMmMMMm________ ________MMMmMMMM ________________
  ________________ rMMMMMMMMMMMMMMM MMMMMMMMMMMM..MM BgggMMMn____..MM
  ________________ ________________ ______________g_ ________________
  __BmBsB_________ .MMMMM.rMMMMMMMM MMMMMM.mMMMMMMMM .MMMMMMrMMMMMMM_`,
  66: `
  ________________ MMmmMMmm________ ________MMMmMMMM ________________
  ________________ rM..MMMMMMMMMMMM MMMMMMMMMMMMMMMM BgggMMM.____MMMM
  ________________ ________________ ______________._ ________________
  __B.BsB_________ MMMMMMMrMMMMMMMM MMMMMMMmMMMMMMMM .MMMMMMrMMMMMMM_`,
  F3: `
  ________________ MMM...M.________ ________..M.MM.. ________________
  ________________ .MMM....MMMMMMMM ...............M B.......____..MM
  ________________ ________________ ______________._ ________________
  __B...._________ ......r......... ......M......... ..............._`,
  F2: `
  ________________ MMM.....________ ________..M.MM.. ________________
  ________________ .M......MMM.MMMM ................ B.......____MM..
  ________________ ________________ ______________._ ________________
  __B...._________ M.....r......... ......M......... m.............._`,
};
const GROUPS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  NP: { 0x71: '..s.s.s.', 0x72: '..s.s.s.', 0x73: '..s...s.', 0xAE: 'mmmm.rrM' },
  66: { 0x71: '..s.s.s.', 0x72: '..s.s.s.', 0x73: '..ss..ss' },
};
const CELLS = Object.fromEntries(Object.entries(GRIDS).map(([prefix, grid]) => [prefix, grid.replace(/\s/g, '')]));

/** The letter of an opcode behind 0F, or `_`. `prefix`: NP, 66, F3 or F2. */
export function simdKind(prefix: string, opcode: number, reg: number): string {
  const cell = CELLS[prefix]![opcode]!;
  return cell === 'g' ? GROUPS[prefix]![opcode]![reg]! : cell;
}
