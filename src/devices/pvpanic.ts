/**
 * QEMU's pvpanic on the ISA bus: one port by which a guest says that it has panicked.
 *
 *     0505  read: the bits that the device knows      write: 0 panicked; 1 crash kernel loaded: panicked, and the guest handles it itself
 *
 * Firmware finds it by the file etc/pvpanic-port (its port, 16 bits) of the firmware configuration, and shows ACPI device QEMU0001.
 * Source: QEMU, docs/specs/pvpanic.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';

const PANICKED = 1, CRASH_LOADED = 2;
export const PVPANIC_PORT = 0x505, PVPANIC_EVENTS = PANICKED | CRASH_LOADED;

/** What the guest said of itself: it is lost, or another kernel will look into it. */
export type PanicEvent = 'panicked' | 'crash-loaded';

export class Pvpanic implements Device {
  readonly name = 'pvpanic';
  readonly state = new DeviceState(1, {});
  readonly io: IoRegion;

  /** @param events the bits that it knows: those of PVPANIC_EVENTS, or fewer */
  constructor(events: number, happened: (event: PanicEvent) => void) {
    this.io = {
      name: this.name, size: 1, minAccess: 1, maxAccess: 1,
      read: () => events,
      write: (_offset, value) => {
        const known = value & events;
        if ((known & PANICKED) !== 0) happened('panicked');
        else if ((known & CRASH_LOADED) !== 0) happened('crash-loaded');
      },
    };
  }

  reset(): void {}
}
