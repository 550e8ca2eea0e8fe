/**
 * virtio over PCI, transitional: the legacy interface in BAR 0 and the one of version 1.0 in BAR 4, for one device (virtio.ts).
 * Source: Virtual I/O Device (VIRTIO) Version 1.1, section 4.1 (OASIS); PCI Local Bus Specification 3.0, section 6.8 (MSI-X).
 *
 *     BAR 0  ports   legacy: 00 features (4), 04 driver's features (4), 08 queue page (4), 0C queue size (2), 0E queue select (2),
 *                    10 notify (2), 12 status (1), 13 ISR (1), with MSI-X on 14 configuration vector (2) and 16 queue vector (2); then
 *                    the device configuration
 *     BAR 1  memory  MSI-X table, at 800 its pending bits
 *     BAR 4  memory  0000 common configuration, 1000 ISR, 2000 device configuration, 3000 notify (4 bytes a queue)
 *
 * A card is made by `virtioCard(name, device)`, a PciCardMaker. Devices of IDs above 9 have no legacy interface.
 * Reading the ISR clears it and lets INTA# go. With MSI-X each cause has a vector of its own, 0xFFFF being none.
 */
import type { AccessSize, IoRegion } from '../memory/io-region.ts';
import { DeviceState } from './device.ts';
import { COMMAND_INTX_OFF, COMMAND_IO, COMMAND_MASTER, COMMAND_MEMORY, PCI_CAPABILITIES, PCI_COMMAND, PCI_STATUS, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';
import type { PciCardMaker, PciSlot } from './pci-slot.ts';
import { F_ANY_LAYOUT, F_EVENT_IDX, F_INDIRECT_DESC, F_VERSION_1 } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';
import { MsixTable } from './msix.ts';
import { readField, writeField } from './register-fields.ts';
import type { Field } from './register-fields.ts';
import { QUEUE_FIELDS, VirtQueue } from './virtio-queue.ts';

const VENDOR = 0x1af4;
/** Device numbers of transitional devices by virtio ID; others are 1040h + ID. */
const TRANSITIONAL: Readonly<Record<number, number>> = { 1: 0x1000, 2: 0x1001, 3: 0x1003, 4: 0x1005, 5: 0x1002, 8: 0x1004, 9: 0x1009 };
const MODERN_DEVICE = 0x1040;

const STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8, STATUS_NEEDS_RESET = 0x40;
const ISR_QUEUE = 1, ISR_CONFIG = 2;
const NO_VECTOR = 0xffff;
/** Feature bits that the transport offers for every device, as two words. */
const TRANSPORT_FEATURES = [(1 << F_INDIRECT_DESC) | (1 << F_EVENT_IDX), 1 << (F_VERSION_1 - 32)] as const;

const COMMON = 0x0000, ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000, MODERN_SIZE = 0x4000, PART_SIZE = 0x1000, NOTIFY_STEP = 4;
const LEGACY_SIZE = 0x80, LEGACY_CONFIG = 0x14, LEGACY_CONFIG_MSIX = 0x18;
const LEGACY_PAGE = 4096;
const PORT_BAR = 0, MSIX_BAR = 1, MODERN_BAR = 4;

/** Places of the capabilities in the configuration space. */
const CAP_COMMON = 0x40, CAP_ISR = 0x50, CAP_DEVICE = 0x60, CAP_NOTIFY = 0x70, CAP_WINDOW = 0x84, CAP_MSIX = 0x98;
const VENDOR_SPECIFIC = 0x09;
const WINDOW_BAR = CAP_WINDOW + 4, WINDOW_OFFSET = CAP_WINDOW + 8, WINDOW_LENGTH = CAP_WINDOW + 12, WINDOW_DATA = CAP_WINDOW + 16;

/** The configuration space of a device. */
function space(device: VirtioDevice, vectors: number): Uint8Array {
  const transitional = TRANSITIONAL[device.id];
  const bytes = pciHeader({
    vendor: VENDOR, device: transitional ?? MODERN_DEVICE + device.id, revision: transitional === undefined ? 1 : 0, classCode: device.classCode,
    subsystemVendor: VENDOR, subsystem: transitional === undefined ? 0x1100 : device.id, interruptPin: 1,
  });
  const view = new DataView(bytes.buffer);
  const capability = (at: number, next: number, length: number, type: number, offset: number, size: number): void => {
    bytes.set([VENDOR_SPECIFIC, next, length, type, MODERN_BAR], at);
    view.setUint32(at + 8, offset, true);
    view.setUint32(at + 12, size, true);
  };
  bytes[PCI_STATUS] = 0x10;
  bytes[PCI_CAPABILITIES] = CAP_COMMON;
  capability(CAP_COMMON, CAP_ISR, 16, 1, COMMON, PART_SIZE);
  capability(CAP_ISR, CAP_DEVICE, 16, 3, ISR, PART_SIZE);
  capability(CAP_DEVICE, CAP_NOTIFY, 16, 4, DEVICE, PART_SIZE);
  capability(CAP_NOTIFY, CAP_WINDOW, 20, 2, NOTIFY, PART_SIZE);
  view.setUint32(CAP_NOTIFY + 16, NOTIFY_STEP, true);
  capability(CAP_WINDOW, vectors > 0 ? CAP_MSIX : 0, 20, 5, 0, 0);
  bytes[WINDOW_BAR] = 0;
  if (vectors > 0) MsixTable.capability(bytes, CAP_MSIX, vectors, MSIX_BAR);
  return bytes;
}

export class VirtioPci implements PciFunction, VirtioTransport {
  readonly name: string;
  readonly state;
  readonly config: PciConfig;
  readonly queues: readonly VirtQueue[];
  readonly #device: VirtioDevice;
  readonly #slot: PciSlot;
  readonly #msix: MsixTable | null;
  /** What BAR 0 and BAR 4 show. */
  readonly #regions: ReadonlyMap<number, IoRegion>;

  constructor(name: string, device: VirtioDevice, slot: PciSlot) {
    this.name = name;
    this.#device = device;
    this.#slot = slot;
    const count = device.queueSizes.length, vectors = slot.message === null ? 0 : count + 1;
    this.state = new DeviceState(1, {
      config: space(device, vectors),
      status: 0, isr: 0, generation: 0, deviceSelect: 0, driverSelect: 0, featuresLow: 0, featuresHigh: 0, queueSelect: 0,
      configVector: NO_VECTOR, queueVectors: new Uint16Array(count).fill(NO_VECTOR),
      queues: new Float64Array(count * QUEUE_FIELDS),
      msix: MsixTable.initial(vectors),
    });
    const { fields: f } = this.state;
    this.queues = device.queueSizes.map((size, index) => new VirtQueue({
      space: slot.space, size, fields: f.queues.subarray(index * QUEUE_FIELDS, (index + 1) * QUEUE_FIELDS),
      eventIndex: () => this.has(F_EVENT_IDX),
      interrupt: () => this.#raise(ISR_QUEUE, f.queueVectors[index]!),
      broken: () => this.fail(),
    }));
    this.config = new PciConfig(f.config, (offset, size) => this.#configWritten(offset, size), (offset) => this.#beforeConfigRead(offset))
      .writable(PCI_COMMAND, 2, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF)
      .writable(WINDOW_BAR, 1, 0xff).writable(WINDOW_OFFSET, 4, -1).writable(WINDOW_LENGTH, 4, -1).writable(WINDOW_DATA, 4, -1);
    this.#msix = slot.message === null ? null : new MsixTable(f.msix, vectors, slot.message);
    const legacy = this.#legacy(), modern = this.#modern();
    const transitional = TRANSITIONAL[device.id] !== undefined;
    this.#regions = new Map(transitional ? [[PORT_BAR, legacy], [MODERN_BAR, modern]] : [[MODERN_BAR, modern]]);
    if (transitional) this.config.bar(PORT_BAR, 'io', LEGACY_SIZE, slot.ports(legacy));
    if (this.#msix !== null) {
      this.config.writable(CAP_MSIX + 2, 2, MsixTable.CONTROL_WRITABLE).bar(MSIX_BAR, 'memory', this.#msix.io.size, slot.memory(this.#msix.io));
    }
    this.config.bar(MODERN_BAR, 'prefetchable', MODERN_SIZE, slot.memory(modern));
    device.attach(this);
    this.#resetDevice();
  }

  has(feature: number): boolean {
    const { featuresLow, featuresHigh } = this.state.fields;
    return (feature < 32 ? featuresLow >>> feature : featuresHigh >>> (feature - 32)) % 2 === 1;
  }

  get running(): boolean {
    return (this.state.fields.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) === STATUS_DRIVER_OK;
  }

  configChanged(): void {
    const { fields: f } = this.state;
    f.generation = (f.generation + 1) & 0xff;
    if (this.running) this.#raise(ISR_CONFIG, f.configVector);
  }

  fail(): void {
    const { fields: f } = this.state;
    const tell = this.running;
    f.status |= STATUS_NEEDS_RESET;
    for (const queue of this.queues) queue.close();
    if (tell && this.has(F_VERSION_1)) this.#raise(ISR_CONFIG, f.configVector);
  }

  reset(): void {
    this.state.reset();
    this.#resetDevice();
    this.config.updateBars();
  }

  restored(): void {
    this.config.updateBars();
    this.#msixControl();
    this.#updateLine();
  }

  #resetDevice(): void {
    const { fields: f } = this.state;
    f.status = f.isr = f.featuresLow = f.featuresHigh = f.deviceSelect = f.driverSelect = f.queueSelect = 0;
    f.configVector = NO_VECTOR;
    f.queueVectors.fill(NO_VECTOR);
    for (const queue of this.queues) queue.reset();
    this.#device.reset();
    this.#msixControl();
    this.#updateLine();
  }

  /** A cause of an interrupt: by message if MSI-X is on, else by INTA#. */
  #raise(cause: number, vector: number): void {
    const { fields: f } = this.state;
    f.isr |= cause;
    if (this.#msix?.enabled === true) {
      if (vector !== NO_VECTOR) this.#msix.raise(vector);
    } else this.#updateLine();
  }

  #updateLine(): void {
    const { fields: f } = this.state, pending = f.isr !== 0 && this.#msix?.enabled !== true;
    f.config[PCI_STATUS] = (f.config[PCI_STATUS]! & ~8) | (pending ? 8 : 0);
    this.#slot.intA.set(pending && (this.config.command & COMMAND_INTX_OFF) === 0);
  }

  #readIsr(): number {
    const { fields: f } = this.state, { isr } = f;
    f.isr = 0;
    this.#updateLine();
    return isr;
  }

  #offered(word: number, legacy: boolean): number {
    if (word === 0) return (this.#device.features | TRANSPORT_FEATURES[0] | (TRANSITIONAL[this.#device.id] === undefined ? 0 : 1 << F_ANY_LAYOUT)) >>> 0;
    return word === 1 && !legacy ? TRANSPORT_FEATURES[1] : 0;
  }

  #setStatus(value: number): void {
    const { fields: f } = this.state, before = f.status;
    if (value === 0) {
      this.#resetDevice();
      return;
    }
    // FEATURES_OK stays only if the driver took what the device can do.
    if ((value & STATUS_FEATURES_OK) !== 0 && ((f.featuresLow & ~this.#offered(0, false)) !== 0 || (f.featuresHigh & ~this.#offered(1, false)) !== 0)) {
      value &= ~STATUS_FEATURES_OK;
    }
    f.status = value | (before & STATUS_NEEDS_RESET);
    if ((value & ~before & STATUS_DRIVER_OK) !== 0) this.#device.start?.();
  }

  #notified(index: number): void {
    if (this.queues[index]?.enabled === true) this.#device.notified(index);
  }

  /** A vector that there is, or none. */
  #vector(value: number): number {
    return this.#msix !== null && value < this.#msix.vectors ? value : NO_VECTOR;
  }

  #configWritten(offset: number, size: number): void {
    if (offset <= CAP_MSIX + 3 && offset + size > CAP_MSIX + 2) this.#msixControl();
    if (offset < PCI_COMMAND + 2 && offset + size > PCI_COMMAND) this.#updateLine();
    if (offset >= WINDOW_DATA && offset < WINDOW_DATA + 4) this.#window((region, at, length) => region.write(at, this.config.read(WINDOW_DATA, 4), length));
  }

  #beforeConfigRead(offset: number): void {
    if (offset < WINDOW_DATA || offset >= WINDOW_DATA + 4) return;
    this.#window((region, at, length) => {
      const value = region.read(at, length);
      for (let i = 0; i < length; i++) this.config.bytes[WINDOW_DATA + i] = value >>> (8 * i);
    });
  }

  /** The access that the window in configuration space names. */
  #window(access: (region: IoRegion, at: number, length: AccessSize) => void): void {
    const region = this.#regions.get(this.config.bytes[WINDOW_BAR]!), at = this.config.read(WINDOW_OFFSET, 4) >>> 0, length = this.config.read(WINDOW_LENGTH, 4);
    if (region === undefined || (length !== 1 && length !== 2 && length !== 4) || at % length !== 0 || at + length > region.size) return;
    access(region, at, length);
  }

  #msixControl(): void {
    if (this.#msix === null) return;
    this.#msix.control(this.config.read(CAP_MSIX + 2, 2));
    this.#updateLine();
  }

  /** Reads through the end of the device configuration as zeros. */
  #readDevice(offset: number, size: AccessSize): number {
    const bytes = this.#device.config();
    let value = 0;
    for (let i = 0; i < size; i++) value |= (bytes[offset + i] ?? 0) << (8 * i);
    return value;
  }

  #legacy(): IoRegion {
    const { fields: f } = this.state;
    const queue = (): VirtQueue | undefined => this.queues[f.queueSelect];
    const registers: readonly Field[] = [
      { at: 0x00, size: 4, get: () => this.#offered(0, true) },
      { at: 0x04, size: 4, get: () => f.featuresLow, set: (value) => { f.featuresLow = value >>> 0; } },
      { at: 0x08, size: 4, get: () => Math.floor((queue()?.places[0] ?? 0) / LEGACY_PAGE), set: (value) => this.#legacyPlace(value >>> 0) },
      { at: 0x0c, size: 2, get: () => queue()?.size ?? 0 },
      { at: 0x0e, size: 2, get: () => f.queueSelect, set: (value) => { f.queueSelect = value; } },
      { at: 0x10, size: 2, get: () => 0, set: (value) => this.#notified(value) },
      { at: 0x12, size: 1, get: () => f.status, set: (value) => this.#setStatus(value) },
      { at: 0x13, size: 1, get: () => this.#readIsr() },
    ];
    const vectors: readonly Field[] = [
      { at: 0x14, size: 2, get: () => f.configVector, set: (value) => { f.configVector = this.#vector(value); } },
      { at: 0x16, size: 2, get: () => f.queueVectors[f.queueSelect] ?? NO_VECTOR, set: (value) => { f.queueVectors[f.queueSelect] = this.#vector(value); } },
    ];
    const configAt = (): number => (this.#msix?.enabled === true ? LEGACY_CONFIG_MSIX : LEGACY_CONFIG);
    const fields = (): readonly Field[] => (this.#msix?.enabled === true ? [...registers, ...vectors] : registers);
    return {
      name: `${this.name}-legacy`, size: LEGACY_SIZE, minAccess: 1, maxAccess: 4,
      read: (offset, size) => (offset >= configAt() ? this.#readDevice(offset - configAt(), size) : readField(fields(), offset, size)),
      write: (offset, value, size) => {
        if (offset >= configAt()) this.#device.writeConfig?.(offset - configAt(), value, size);
        else writeField(fields(), offset, value, size);
      },
    };
  }

  /** The legacy driver gives its rings as one piece, from a page on; page 0 takes the queue away. */
  #legacyPlace(page: number): void {
    const queue = this.queues[this.state.fields.queueSelect];
    if (queue === undefined) return;
    queue.reset();
    if (page === 0) return;
    const descriptors = page * LEGACY_PAGE, available = descriptors + 16 * queue.size;
    queue.places = [descriptors, available, Math.ceil((available + 6 + 2 * queue.size) / LEGACY_PAGE) * LEGACY_PAGE];
    queue.enable();
  }

  #modern(): IoRegion {
    const { fields: f } = this.state;
    const queue = (): VirtQueue | undefined => this.queues[f.queueSelect];
    const place = (index: 0 | 1 | 2, high: boolean): Omit<Field, 'at' | 'size'> => ({
      get: () => (high ? Math.floor((queue()?.places[index] ?? 0) / 2 ** 32) : (queue()?.places[index] ?? 0) % 2 ** 32),
      set: (value) => {
        const target = queue();
        if (target === undefined) return;
        const places: [number, number, number] = [...target.places], before = places[index];
        // 21 bits of the high half are all that a number keeps; nothing is up there.
        places[index] = high ? (value & 0x1f_ffff) * 2 ** 32 + (before % 2 ** 32) : before - (before % 2 ** 32) + (value >>> 0);
        target.places = places;
      },
    });
    const common: readonly Field[] = [
      { at: 0, size: 4, get: () => f.deviceSelect, set: (value) => { f.deviceSelect = value >>> 0; } },
      { at: 4, size: 4, get: () => this.#offered(f.deviceSelect, false) },
      { at: 8, size: 4, get: () => f.driverSelect, set: (value) => { f.driverSelect = value >>> 0; } },
      { at: 12, size: 4, get: () => [f.featuresLow, f.featuresHigh][f.driverSelect] ?? 0, set: (value) => this.#driverFeatures(value >>> 0) },
      { at: 16, size: 2, get: () => f.configVector, set: (value) => { f.configVector = this.#vector(value); } },
      { at: 18, size: 2, get: () => this.queues.length },
      { at: 20, size: 1, get: () => f.status, set: (value) => this.#setStatus(value) },
      { at: 21, size: 1, get: () => f.generation },
      { at: 22, size: 2, get: () => f.queueSelect, set: (value) => { f.queueSelect = value; } },
      { at: 24, size: 2, get: () => queue()?.size ?? 0, set: (value) => { queue()?.resize(value); } },
      { at: 26, size: 2, get: () => f.queueVectors[f.queueSelect] ?? NO_VECTOR, set: (value) => { f.queueVectors[f.queueSelect] = this.#vector(value); } },
      { at: 28, size: 2, get: () => Number(queue()?.enabled ?? false), set: (value) => { if (value === 1) queue()?.enable(); } },
      { at: 30, size: 2, get: () => f.queueSelect },
      ...([0, 1, 2] as const).flatMap((index) => [{ at: 32 + 8 * index, size: 4 as const, ...place(index, false) }, { at: 36 + 8 * index, size: 4 as const, ...place(index, true) }]),
    ];
    return {
      name: this.name, size: MODERN_SIZE, minAccess: 1, maxAccess: 4,
      read: (offset, size) => {
        const at = offset % PART_SIZE;
        switch (offset - at) {
          case COMMON: return readField(common, at, size);
          case ISR: return at === 0 ? this.#readIsr() : 0;
          case DEVICE: return this.#readDevice(at, size);
          default: return 0;
        }
      },
      write: (offset, value, size) => {
        const at = offset % PART_SIZE;
        switch (offset - at) {
          case COMMON: return writeField(common, at, value, size);
          case DEVICE: return this.#device.writeConfig?.(at, value, size);
          case NOTIFY: return this.#notified(Math.floor(at / NOTIFY_STEP));
        }
      },
    };
  }

  #driverFeatures(value: number): void {
    const { fields: f } = this.state;
    if ((f.status & STATUS_FEATURES_OK) !== 0) return;
    if (f.driverSelect === 0) f.featuresLow = value;
    else if (f.driverSelect === 1) f.featuresHigh = value;
  }
}

/** A card with a virtio device on it. @param name of the card: unique on the board */
export const virtioCard = (name: string, device: (slot: PciSlot) => VirtioDevice): PciCardMaker => (slot) => {
  const behind = device(slot), fn = new VirtioPci(name, behind, slot);
  return { fn, devices: [fn, behind] };
};
