/**
 * The debug console of Bochs and QEMU: a byte written to the port (E9h on a PC) goes to the host; reading gives E9h, or what the
 * board says, by which software knows that the port is there.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import type { CharBackend } from './host.ts';

/** The port, and what it reads as. */
export const DEBUG_PORT = 0xe9;

export class DebugPort implements Device {
  readonly name = 'debug-port';
  readonly state = new DeviceState(1, {});
  readonly io: IoRegion;

  constructor(backend: CharBackend, readback = DEBUG_PORT) {
    this.io = {
      name: this.name,
      size: 1,
      minAccess: 1,
      maxAccess: 1,
      read: () => readback,
      write: (_offset, value) => backend.write(value),
    };
  }

  reset(): void {}
}
