/**
 * Between a virtio device (blk, net, ...) and its transport (virtio-pci.ts). A device is written against these two interfaces only.
 * Source: Virtual I/O Device (VIRTIO) Version 1.1, sections 2 and 3 (OASIS).
 */
import type { AccessSize } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import type { VirtQueue } from './virtio-queue.ts';

/** A device behind a transport. Its state is declared as any device's; queues belong to the transport. */
export interface VirtioDevice extends Device {
  /** Virtio device ID: 1 net, 2 block, 3 console, 4 entropy, 5 balloon, 9 9P, 18 input. */
  readonly id: number;
  /** PCI class code, 24 bits. */
  readonly classCode: number;
  /** Feature bits 0-23 that it offers; those of queues and transport are added. */
  readonly features: number;
  /** Most descriptors of each queue: powers of two. */
  readonly queueSizes: readonly number[];
  /** Device configuration: its bytes, read whenever the driver looks. */
  config(): Uint8Array;
  /** The driver writes to the device configuration; without it that does nothing. */
  writeConfig?(offset: number, value: number, size: AccessSize): void;
  /** Called once, before anything else. */
  attach(transport: VirtioTransport): void;
  /** DRIVER_OK was set: features are settled, queues are where they will be. */
  start?(): void;
  /** The driver says that queue `index` has buffers. */
  notified(index: number): void;
  /** Reset by the driver or the board: forget requests under way. The queues have been reset already. */
  reset(): void;
}

/** What the transport gives to its device. */
export interface VirtioTransport {
  readonly queues: readonly VirtQueue[];
  /** The driver has accepted this feature (a bit number from 0 on). */
  has(feature: number): boolean;
  /** DRIVER_OK is set, and the device is not broken. */
  readonly running: boolean;
  /** The device configuration has changed: an interrupt. */
  configChanged(): void;
  /** Something went wrong that only a reset can cure. */
  fail(): void;
}

/** Feature bits of queues and transports. */
export const F_ANY_LAYOUT = 27, F_INDIRECT_DESC = 28, F_EVENT_IDX = 29, F_VERSION_1 = 32;

/** Writes numbers into a device configuration, little-endian: [offset, bytes, value]... */
export function virtioConfig(size: number, ...fields: readonly (readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: number])[]): Uint8Array {
  const config = new Uint8Array(size);
  for (const [offset, bytes, value] of fields) for (let i = 0; i < bytes; i++) config[offset + i] = Math.floor(value / 2 ** (8 * i)) & 0xff;
  return config;
}
