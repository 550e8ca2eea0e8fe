/**
 * IN and OUT. Intel SDM vol. 2, IN and OUT; vol. 1, 19.5 (I/O protection).
 */
import type { AccessSize } from '../../memory/io-region.ts';
import type { CpuContext } from './context.ts';
import { notePort } from './debug.ts';
import { checkIoPermission } from './tss.ts';
import { HF_DEBUG, HFLAGS } from '../state.ts';

/** The low `bytes` of what a device may return with anything above. */
export const lowBytes = (value: number, bytes: number): number => (bytes === 4 ? value | 0 : value & (1 << bytes * 8) - 1);

/** @param port 0-65535  @param bytes 1, 2 or 4 */
export function portIn(cpu: CpuContext, port: number, bytes: number): number {
  port &= 0xffff;
  checkIoPermission(cpu, port, bytes);
  if ((cpu.R[HFLAGS]! & HF_DEBUG) !== 0) notePort(cpu, port, bytes);
  return lowBytes(cpu.io.read(port, bytes as AccessSize), bytes);
}

export function portOut(cpu: CpuContext, port: number, value: number, bytes: number): void {
  port &= 0xffff;
  checkIoPermission(cpu, port, bytes);
  if ((cpu.R[HFLAGS]! & HF_DEBUG) !== 0) notePort(cpu, port, bytes);
  cpu.io.write(port, lowBytes(value, bytes), bytes as AccessSize);
}
