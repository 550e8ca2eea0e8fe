/**
 * The EEPROM of an 82540EM: 64 words, read by the EERD register or bit by bit over a Microwire bus; and what its words say.
 * Source: Intel PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual (317453), sections 5.2, 5.6, 13.4.3, 13.4.4.
 */

const WORDS = 64;
const CHECKSUM = 0xbaba;
/** EECD: clock, chip select, data in, data out, request, grant, present. */
const SK = 0x01, CS = 0x02, DI = 0x04, DO = 0x08, REQUEST = 0x40, GRANT = 0x80, PRESENT = 0x100;
/** A start bit, two bits of the command, six of the address. */
const COMMAND_BITS = 9, READ = 6;

/** All words sum up to BABAh. */
export function eepromWords(mac: Uint8Array): Uint16Array {
  const words = new Uint16Array(WORDS);
  for (let i = 0; i < 3; i++) words[i] = mac[2 * i] | (mac[2 * i + 1] << 8);
  // Subsystem 8086:001E of 8086:100E; 1000 Mbit/s, full duplex, as the board leaves the factory.
  words.set([0x4408, 0x001e, 0x8086, 0x100e, 0x8086], 0x0a);
  let sum = 0;
  for (let i = 0; i < WORDS - 1; i++) sum += words[i];
  words[WORDS - 1] = CHECKSUM - sum;
  return words;
}

/** The Microwire bus. @param fields [EECD as written, bits shifted in, bits to go out (count << 16 | word), DO] */
export class Microwire {
  readonly #words: Uint16Array;
  readonly #fields: Int32Array;

  constructor(words: Uint16Array, fields: Int32Array) {
    this.#words = words;
    this.#fields = fields;
  }

  read(): number {
    const [written, , , out] = this.#fields;
    return (written & (SK | CS | DI | REQUEST)) | (out ? DO : 0) | (written & REQUEST ? GRANT : 0) | PRESENT;
  }

  write(value: number): void {
    const fields = this.#fields, rises = (value & ~fields[0] & SK) !== 0;
    fields[0] = value;
    if (!(value & CS)) {
      // Deselected: the next bit starts a command.
      fields[1] = fields[2] = 0;
      fields[3] = 1;
    } else if (rises) this.#clock(value & DI ? 1 : 0);
  }

  #clock(bit: number): void {
    const fields = this.#fields, count = fields[2] >> 16;
    if (count > 0) {
      fields[3] = (fields[2] >> (count - 1)) & 1;
      fields[2] = ((count - 1) << 16) | (fields[2] & 0xffff);
      return;
    }
    // Bits before the start bit do not count.
    fields[1] = (fields[1] << 1) | bit;
    if (fields[1] >> (COMMAND_BITS - 1) === 0) return;
    if (fields[1] >> 6 === READ) {
      fields[2] = (16 << 16) | this.#words[fields[1] & (WORDS - 1)];
      fields[3] = 0;
    }
    fields[1] = 0;
  }
}
