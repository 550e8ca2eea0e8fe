/** Comparison conditions, as TCG names them; the number is the operand in ops. `tst*` compare (a & b) with zero. */
export const CONDITIONS = ['eq', 'ne', 'lt', 'ge', 'le', 'gt', 'ltu', 'geu', 'leu', 'gtu', 'tsteq', 'tstne'] as const;
export type ConditionName = (typeof CONDITIONS)[number];
export const EQ = 0, NE = 1, LT = 2, GE = 3, LE = 4, GT = 5, LTU = 6, GEU = 7, LEU = 8, GTU = 9, TSTEQ = 10, TSTNE = 11;

/** The opposite condition: conditions come in pairs. */
export const invert = (condition: number): number => condition ^ 1;

const SWAPPED = [EQ, NE, GT, LE, GE, LT, GTU, LEU, GEU, LTU, TSTEQ, TSTNE];
/** The condition c' with (a c b) = (b c' a). */
export const swap = (condition: number): number => SWAPPED[condition]!;

const JS = ['===', '!==', '<', '>=', '<=', '>', '<', '>=', '<=', '>'];
/** JavaScript of a comparison of two int32 expressions, as a boolean. */
export function conditionJs(condition: number, a: string, b: string): string {
  if (condition >= TSTEQ) return `(${a} & ${b}) ${condition === TSTEQ ? '===' : '!=='} 0`;
  return condition >= LTU ? `(${a} >>> 0) ${JS[condition]} (${b} >>> 0)` : `${a} ${JS[condition]} ${b}`;
}
