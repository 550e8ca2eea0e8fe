/**
 * The VMware port of QEMU: by it software finds out that it runs in a virtual machine, and drives the pointer (vm-mouse.ts).
 *
 *     5658   any access, read or write: EAX is 564D5868h ("VMXh"), CL the command; the answer is in registers
 *
 *     0A version: EAX 6, EBX 564D5868h, ECX 2 (a server)     2D clock rates: not known, EBX all ones
 *     13 UUID: EAX, EBX, ECX, EDX                            44 what the processor has: EAX 0 (no x2APIC)
 *     14 RAM: EAX bytes, EBX 1177h                           27-29 the pointer
 *
 * EAX is written as a whole, whatever the size of the access; all ones where the magic number is missing or the command is another. User mode needs
 * its permission, as for any port (VMware's own does not ask).
 * Sources: QEMU 7.2, by the guest in test/devices/vmport; wiki.osdev.org, "VMware tools".
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';

/** The general registers by their numbers, of the processor whose instruction accesses a port. */
export interface GeneralRegisters {
  register(number: number): number;
  setRegister(number: number, value: number): void;
}

export const EAX = 0, ECX = 1, EDX = 2, EBX = 3, ESI = 6, EDI = 7;
export const VM_PORT = 0x5658;

const MAGIC = 0x564d5868, UNKNOWN = -1;
const VERSION = 6, PRODUCT_SERVER = 2;
const RAM_SIZE_ANSWER = 0x1177;
const COMMAND_VERSION = 0x0a, COMMAND_UUID = 0x13, COMMAND_RAM_SIZE = 0x14, COMMAND_CLOCK_RATES = 0x2d, COMMAND_PROCESSOR = 0x44;

/** Answers a command, in registers; the value is EAX's. */
export type VmCommand = (registers: GeneralRegisters) => number;

export interface VmPortOptions {
  readonly registers: GeneralRegisters;
  /** Bytes of RAM. */
  readonly memory: number;
  /** 16 bytes, in the order of the UUID's text. */
  readonly uuid: Uint8Array;
  /** Commands of others, by number. */
  readonly commands: ReadonlyMap<number, VmCommand>;
}

export class VmPort implements Device {
  readonly name = 'vmport';
  readonly state = new DeviceState(1, {});
  /** To be mapped at its first port only. */
  readonly io: IoRegion;
  readonly #registers: GeneralRegisters;
  readonly #commands: ReadonlyMap<number, VmCommand>;

  constructor({ registers, memory, uuid, commands }: VmPortOptions) {
    this.#registers = registers;
    const id = new DataView(uuid.buffer, uuid.byteOffset, 16);
    this.#commands = new Map<number, VmCommand>([
      [COMMAND_VERSION, () => {
        registers.setRegister(EBX, MAGIC);
        registers.setRegister(ECX, PRODUCT_SERVER);
        return VERSION;
      }],
      [COMMAND_UUID, () => {
        [EBX, ECX, EDX].forEach((register, i) => registers.setRegister(register, id.getInt32(4 * (i + 1), true)));
        return id.getInt32(0, true);
      }],
      [COMMAND_RAM_SIZE, () => {
        registers.setRegister(EBX, RAM_SIZE_ANSWER);
        return memory | 0;
      }],
      [COMMAND_CLOCK_RATES, () => {
        registers.setRegister(EBX, UNKNOWN);
        return MAGIC;
      }],
      [COMMAND_PROCESSOR, () => 0],
      ...commands,
    ]);
    this.io = { name: this.name, size: 4, minAccess: 1, maxAccess: 4, read: () => this.#ask(), write: () => void this.#ask() };
  }

  reset(): void {}

  #ask(): number {
    const registers = this.#registers;
    const command = registers.register(EAX) === MAGIC ? this.#commands.get(registers.register(ECX) & 0xff) : undefined;
    const answer = command === undefined ? UNKNOWN : command(registers);
    registers.setRegister(EAX, answer);
    return answer;
  }
}
