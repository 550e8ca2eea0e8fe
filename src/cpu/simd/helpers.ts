/**
 * The MMX and SSE helpers. Most touch SIMD state only; those of float arithmetic return 1 for an exception that is not masked, of
 * which the translator makes #XM. Names: the mnemonic, with _mmx or _xmm where both exist, and _imm for counts in the instruction.
 */
import type { Helper } from '../../tcg/env.ts';
import { FPU_SW, FPU_TW } from '../fpu/state.ts';
import { createConversions } from './convert.ts';
import { compareDoubles, compareSingles, createFloats } from './float.ts';
import { INLINE_FORMS } from './inline.ts';
import { createFxsave } from './fxsave.ts';
import type { SimdContext } from './fxsave.ts';
import { LANES, laneFunction } from './lanes.ts';
import { createMasks, createShuffles } from './shuffle.ts';

const TOP = 0x3800;

/** Name of the helper of a packed integer instruction. */
export const packedName = (mnemonic: string, mmx: boolean, immediate: boolean): string => `${mnemonic.toLowerCase()}${immediate ? '_imm' : ''}_${mmx ? 'mmx' : 'xmm'}`;

export function createSimdHelpers(cpu: SimdContext): Helper[] {
  const { R } = cpu;
  const contained = (name: string, args: number, fn: Helper['fn'], returns = false): Helper =>
    ({ name, args, returns, globals: 'none', pure: false, mayFault: false, contained: true, fn });
  /** One that regions may have in place. */
  const written = (mnemonic: string, args: number, fn: Helper['fn']): Helper => {
    const inline = INLINE_FORMS[mnemonic.toUpperCase()], helper = contained(mnemonic.toLowerCase(), args, fn, true);
    return inline === undefined ? helper : { ...helper, inline };
  };
  const faulting = (name: string, args: number, fn: Helper['fn']): Helper => ({ name, args, returns: false, globals: 'none', pure: false, mayFault: true, fn });

  const packed = ([2, 4] as const).flatMap((count) => [
    ...Object.entries(LANES).map(([mnemonic, expression]) => contained(packedName(mnemonic, count === 2, false), 2, laneFunction(R, expression, count) as Helper['fn'])),
    ...Object.entries(createShuffles(R, count)).map(([key, move]) => {
      const [mnemonic, immediate] = key.split(' ');
      return contained(packedName(mnemonic!, count === 2, immediate !== undefined), move.length, move as Helper['fn']);
    }),
  ]);
  const masks = Object.entries(createMasks(R)).map(([name, fn]) => contained(name, fn.length, fn, true));
  const floats = Object.entries(createFloats(R)).map(([mnemonic, fn]) => written(mnemonic, fn.length, fn as Helper['fn']));
  const conversions = Object.entries(createConversions(R)).map(([mnemonic, fn]) => written(mnemonic, 2, fn as Helper['fn']));
  const comparisons = ([
    ['comiss', compareSingles(R, true)], ['ucomiss', compareSingles(R, false)], ['comisd', compareDoubles(R, true)], ['ucomisd', compareDoubles(R, false)],
  ] as const).map(([name, fn]) => written(name, 2, fn as Helper['fn']));
  const { fxsave, fxrstor, ldmxcsr, maskmov } = createFxsave(cpu);
  /** TOP is 0, all tags are valid. */
  function enterMmx(): void {
    R[FPU_SW] = R[FPU_SW]! & ~TOP;
    R[FPU_TW] = 0;
  }
  return [
    contained('enter_mmx', 0, enterMmx), ...packed, ...masks, ...floats, ...conversions, ...comparisons,
    faulting('fxsave', 1, fxsave as Helper['fn']), faulting('fxrstor', 1, fxrstor as Helper['fn']), faulting('ldmxcsr', 1, ldmxcsr as Helper['fn']), faulting('maskmov', 4, maskmov as Helper['fn']),
  ];
}
