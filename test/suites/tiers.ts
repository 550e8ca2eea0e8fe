import type { CpuOptions } from '../../src/cpu/cpu.ts';
export type SuiteOptions = Pick<CpuOptions, 'jit' | 'jitThreshold' | 'log'>;
