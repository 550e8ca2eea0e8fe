/** Drops writes of globals that nothing reads before the next write: above all, flags that the next instruction overwrites. */
import { GLOBAL, type Block } from '../ir.ts';
import { createRemoval } from './liveness.ts';

export const createDeadGlobals = (): ((block: Block) => void) => createRemoval(GLOBAL);
