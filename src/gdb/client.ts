/**
 * The debugger's side of the gdb remote protocol: asks a stub over a stream, and reads its registers. Source: the gdb manual, appendix E (packets
 * ?, c, g, s, Z, z, qXfer:features:read, qRcmd); QEMU's documentation, "GDB usage" (Qqemu.sstep).
 */
import { ACK, NACK, PacketReader, encodePacket, hexOfText, textOfHex } from './packet.ts';
import { parseTarget } from './target.ts';
import type { Register } from './target.ts';

/** Bytes both ways, one character each. */
export interface Stream {
  write(bytes: string): void;
  onData: (bytes: string) => void;
  /** The other side is gone. */
  onEnd: (reason: string) => void;
}

/** The stub is gone, or says what makes no sense. */
export class GdbError extends Error {}

/** Why the target stopped: a signal (5 is a step's or breakpoint's end), or it has ended. */
export interface Stop {
  readonly kind: 'signal' | 'exited';
  readonly code: number;
}

/** Bytes of a description that are asked for at once. */
const CHUNK = 0xf00;

export class GdbClient {
  readonly #stream: Stream;
  readonly #reader = new PacketReader();
  readonly #packets: string[] = [];
  #waiting: { readonly resolve: (data: string) => void; readonly reject: (error: Error) => void } | null = null;
  #ended: string | null = null;
  /** What is sent again if the stub asks for it. */
  #last = '';

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.onData = (bytes) => this.#received(bytes);
    stream.onEnd = (reason) => {
      this.#ended = reason;
      this.#waiting?.reject(new GdbError(reason));
      this.#waiting = null;
    };
  }

  /** Sends a packet; its answer. @throws GdbError */
  async request(data: string): Promise<string> {
    if (this.#ended !== null) throw new GdbError(this.#ended);
    this.#last = encodePacket(data);
    this.#stream.write(this.#last);
    return this.#next();
  }

  /** The same, where anything but `OK` is an error. */
  async command(data: string): Promise<void> {
    const answer = await this.request(data);
    if (answer !== 'OK') throw new GdbError(`'${data}' was answered by '${answer}'`);
  }

  /** The registers, in the order of `g`. */
  async describe(): Promise<Register[]> {
    const read = async (file: string): Promise<string> => {
      let text = '';
      for (;;) {
        const answer = await this.request(`qXfer:features:read:${file}:${text.length.toString(16)},${CHUNK.toString(16)}`);
        if (!/^[lm]/.test(answer)) throw new GdbError(`no description of the target (${answer || 'not supported'})`);
        text += answer.slice(1);
        if (answer.startsWith('l')) return text;
      }
    };
    return parseTarget(await read('target.xml'), read);
  }

  /** The data of `g`: wordsOf() takes it apart. */
  async registers(): Promise<string> {
    const answer = await this.request('g');
    if (/^E..$/.test(answer)) throw new GdbError(`registers cannot be read (${answer})`);
    return answer;
  }

  /** Runs one instruction. */
  async step(): Promise<Stop> {
    return stopOf(await this.request('s'));
  }

  /** Runs until something stops the target. */
  async continue(): Promise<Stop> {
    return stopOf(await this.request('c'));
  }

  async setBreakpoint(address: number): Promise<void> {
    await this.command(`Z0,${(address >>> 0).toString(16)},1`);
  }

  async removeBreakpoint(address: number): Promise<void> {
    await this.command(`z0,${(address >>> 0).toString(16)},1`);
  }

  /** Runs a command of the stub's own monitor; what it prints. */
  async monitor(text: string): Promise<string> {
    let output = '', answer = await this.request(`qRcmd,${hexOfText(text)}`);
    for (; /^O[0-9a-f]/i.test(answer); answer = await this.#next()) output += textOfHex(answer.slice(1));
    if (answer !== 'OK' && /^(E..)?$/.test(answer)) throw new GdbError(`monitor command '${text}' failed (${answer || 'not supported'})`);
    return (answer === 'OK' ? output : output + textOfHex(answer)).replaceAll('\r', '');
  }

  #received(bytes: string): void {
    for (const arrival of this.#reader.push(bytes)) {
      if (arrival.kind === 'nack') this.#stream.write(this.#last);
      else if (arrival.kind === 'damaged') this.#stream.write(NACK);
      if (arrival.kind !== 'packet') continue;
      this.#stream.write(ACK);
      this.#packets.push(arrival.data);
    }
    const data = this.#waiting === null ? undefined : this.#packets.shift();
    if (data === undefined) return;
    const { resolve } = this.#waiting!;
    this.#waiting = null;
    resolve(data);
  }

  #next(): Promise<string> {
    const data = this.#packets.shift();
    if (data !== undefined) return Promise.resolve(data);
    if (this.#ended !== null) return Promise.reject(new GdbError(this.#ended));
    return new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
  }
}

function stopOf(answer: string): Stop {
  const [, kind, code] = /^([STWX])([0-9a-f]{2})/i.exec(answer) ?? [];
  if (kind === undefined) throw new GdbError(`'${answer}' is no reason to stop`);
  return { kind: kind === 'S' || kind === 'T' ? 'signal' : 'exited', code: Number.parseInt(code!, 16) };
}
