/**
 * A line over telnet: commands are taken out of what comes, and a server says, as QEMU's does, that it echoes, goes ahead by itself, and is binary
 * both ways. Then clients send each key at once, as it is.
 * Source: RFC 854 (commands), RFC 855 (options), RFC 856 (binary), RFC 857 (echo), RFC 858 (suppress go ahead).
 *
 *     IAC IAC  a byte FFh    IAC WILL|WONT|DO|DONT option    IAC SB ... IAC SE    IAC command
 */
import type { StreamCode } from './char-stream.ts';

const IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240;
const BINARY = 0, ECHO = 1, GO_AHEAD = 3;
/** What a server says, and asks for, first. */
const ANNOUNCED = [ECHO, GO_AHEAD, BINARY], ASKED = [BINARY];

type State = 'data' | 'iac' | 'option' | 'sub' | 'sub-iac';

export class Telnet implements StreamCode {
  readonly #reply: (bytes: Uint8Array) => void;
  /** Options that are on, or were asked for: here, and at the other end. */
  readonly #here = new Set<number>();
  readonly #there = new Set<number>();
  readonly #offered: readonly number[];
  readonly #taken: readonly number[];
  #state: State = 'data';
  #command = 0;

  /** @param reply sends commands to the other end, at once if this is a server */
  constructor(server: boolean, reply: (bytes: Uint8Array) => void) {
    this.#reply = reply;
    this.#offered = server ? ANNOUNCED : [GO_AHEAD, BINARY];
    this.#taken = server ? [GO_AHEAD, BINARY] : ANNOUNCED;
    if (!server) return;
    for (const option of ANNOUNCED) this.#here.add(option);
    for (const option of ASKED) this.#there.add(option);
    reply(Uint8Array.from([...ANNOUNCED.flatMap((option) => [IAC, WILL, option]), ...ASKED.flatMap((option) => [IAC, DO, option])]));
  }

  decode(bytes: Uint8Array): Uint8Array {
    const data = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      const isData = this.#state === 'data' ? byte !== IAC : this.#state === 'iac' && byte === IAC;
      if (isData) data[length++] = byte;
      this.#state = this.#next(byte);
    }
    return data.subarray(0, length);
  }

  encode(bytes: Uint8Array): Uint8Array {
    return bytes.includes(IAC) ? Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]))) : bytes;
  }

  #next(byte: number): State {
    switch (this.#state) {
      case 'data': return byte === IAC ? 'iac' : 'data';
      case 'iac':
        this.#command = byte;
        return byte === SB ? 'sub' : byte >= WILL && byte <= DONT ? 'option' : 'data';
      case 'option':
        this.#answer(byte);
        return 'data';
      case 'sub': return byte === IAC ? 'sub-iac' : 'sub';
      case 'sub-iac': return byte === SE ? 'data' : 'sub';
    }
  }

  #answer(option: number): void {
    if (this.#command === DO || this.#command === DONT) this.#settle(this.#here, this.#offered, option, this.#command === DO, WILL, WONT);
    else this.#settle(this.#there, this.#taken, option, this.#command === WILL, DO, DONT);
  }

  /** An option is to be on or off. What it is already needs no answer: two ends would answer each other for ever. */
  #settle(on: Set<number>, possible: readonly number[], option: number, wanted: boolean, yes: number, no: number): void {
    if (on.has(option) === wanted) return;
    const agreed = wanted && possible.includes(option);
    if (agreed) on.add(option);
    else on.delete(option);
    this.#reply(Uint8Array.of(IAC, agreed ? yes : no, option));
  }
}
