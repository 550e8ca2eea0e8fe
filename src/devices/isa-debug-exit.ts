/** QEMU's isa-debug-exit: any write ends the machine with exit code (value << 1) | 1. Reads give zeros. */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';

export class IsaDebugExit implements Device {
  readonly name = 'isa-debug-exit';
  readonly state = new DeviceState(1, {});
  readonly io: IoRegion;

  /**
   * @param size number of ports (QEMU: iosize)
   * @param exit told the exit code, 0-255 as a process has it
   */
  constructor(size: number, exit: (code: number) => void) {
    this.io = {
      name: this.name,
      size,
      minAccess: 1,
      maxAccess: 4,
      read: () => 0,
      write: (_offset, value) => exit(((value << 1) | 1) & 0xff),
    };
  }

  reset(): void {}
}
