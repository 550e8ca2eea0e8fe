/** What is to be recorded. */
import type { Vector } from './format.ts';

export interface Case extends Pick<Vector, 'undefinedFlags' | 'undefinedStatus' | 'undefinedMemory' | 'input'> {
  readonly form: string;
}
