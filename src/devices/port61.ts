/**
 * NMI status and control, port 61h: gate and output of counter 2, the speaker, and the toggle that software times short waits with.
 *
 *     7 R SERR#   6 R IOCHK#   5 R counter 2 OUT   4 R refresh toggle   3 RW IOCHK# off   2 RW SERR# off   1 RW speaker   0 RW gate 2
 *
 * No device of this board reports SERR# or IOCHK#, so bits 7 and 6 read 0.
 * Source: Intel 82371SB (PIIX3) datasheet, section 2.5.24.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device } from './device.ts';
import { DeviceState } from './device.ts';
import { ticksAt } from './clock.ts';
import type { I8254 } from './i8254.ts';
import { PIT_HZ } from './i8254.ts';

const SPEAKER_COUNTER = 2;
/** The refresh period of a PC: counter 1 is programmed to 18 clocks (15.09 us); the chipset keeps it whatever the counter does. */
const REFRESH_TICKS = 18;

export class Port61 implements Device {
  readonly name = 'port61';
  readonly state = new DeviceState(1, { control: 0 });
  readonly io: IoRegion = {
    name: 'port61',
    size: 1,
    minAccess: 1,
    maxAccess: 1,
    read: () => {
      const toggle = Math.floor(ticksAt(this.#clock.now(), PIT_HZ) / REFRESH_TICKS) & 1;
      return this.state.fields.control | (toggle << 4) | (this.#pit.output(SPEAKER_COUNTER) ? 0x20 : 0);
    },
    write: (_offset, value) => {
      this.beforeChange?.();
      this.state.fields.control = value & 0x0f;
      this.#pit.setGate(SPEAKER_COUNTER, (value & 1) !== 0);
    },
  };
  /** Called before the guest switches the speaker. */
  beforeChange: (() => void) | null = null;
  readonly #clock: Clock;
  readonly #pit: I8254;

  constructor(clock: Clock, pit: I8254) {
    this.#clock = clock;
    this.#pit = pit;
  }

  /** Speaker data enable: what counter 2 plays is heard. */
  get speaker(): boolean {
    return (this.state.fields.control & 2) !== 0;
  }

  reset(): void {
    this.beforeChange?.();
    this.state.reset();
    this.#pit.setGate(SPEAKER_COUNTER, false);
  }
}
