/**
 * One TCP connection with the guest: this end stands for the host's stream. No data is lost between here and the card, so there is no
 * congestion control; a guest that does not answer is asked again, ever more seldom.
 * Source: RFC 9293 (3.3 state, 3.8 retransmission, windows, 3.10 events), RFC 6298 (timer), RFC 7323 (window scale).
 *
 * Backpressure: towards the guest the stream is paused while much waits; from the guest the window shrinks by what the stream has
 * not sent yet.
 */
import type { Clock, Timer } from '../../devices/device.ts';
import type { Failure, HostStream, StreamEvents } from './host-network.ts';
import { IP_DATA, IP_HEADER, MTU } from './packet.ts';
import { SendBuffer } from './send-buffer.ts';
import { ACK, FIN, PSH, RST, SYN, TCP_HEADER, synOptions, writeHeader } from './tcp-segment.ts';
import type { Segment } from './tcp-segment.ts';

/** Who talks: the guest's side, and the one that this end stands for. */
export interface Endpoints {
  readonly guest: number;
  readonly guestPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

/** The network around a connection. */
export interface TcpPath {
  readonly clock: Clock;
  /** Sends a frame whose TCP part begins at IP_DATA, without checksum, from the remote to the guest. */
  send(endpoints: Endpoints, frame: Uint8Array): void;
  /** The host could not reach the remote: an ICMP error about the guest's first packet. */
  unreachable(endpoints: Endpoints): void;
  /** Nothing is left of the connection. */
  closed(connection: TcpConnection): void;
}

const MSS = MTU - IP_HEADER - TCP_HEADER;
/** Bytes that may wait for the stream: the largest window. */
const RECEIVE_WINDOW = 262144;
const SCALE = 3;
/** Bytes from the stream at which it is paused, and goes on. */
const SEND_HIGH = 262144, SEND_LOW = 65536;
/** Most that is under way to the guest at once. */
const FLIGHT = 131072;
/** A segment is acknowledged at once if another waits, else after so long (ns). */
const ACK_DELAY = 500_000;
/** First and longest wait for an acknowledgement (ns), and how often it is asked for. */
const RETRY_FIRST = 1_000_000_000, RETRY_LONGEST = 60_000_000_000, RETRIES = 12;
/** Acknowledgements of the same byte after which it is sent again. */
const DUPLICATES = 3;

/** connecting: the host has not answered; opening: a SYN is under way to the guest. */
type State = 'connecting' | 'opening' | 'open' | 'closed';

export class TcpConnection implements StreamEvents {
  readonly endpoints: Endpoints;
  readonly #path: TcpPath;
  readonly #retry: Timer;
  readonly #ackTimer: Timer;
  readonly #buffer = new SendBuffer();
  #state: State;
  #stream: HostStream;
  /** First byte not acknowledged, next to send, highest sent so far. */
  #unacknowledged: number;
  #next: number;
  #highest: number;
  /** The guest's window in bytes, its scale, and the largest segment that it takes. */
  #window = 0;
  #guestScale = 0;
  #mss = MSS;
  /** Both sides scale. */
  #scaled = true;
  /** Next byte expected of the guest, the end of the window that it was told, what it has not been told of. */
  #expected = 0;
  #advertised = 0;
  #untold = 0;
  #retries = 0;
  #wait = RETRY_FIRST;
  #duplicates = 0;
  /** The guest's SYN is here; the stream has ended; the guest has ended; our FIN has been sent, and acknowledged. */
  #heard = false;
  #ended = false;
  #guestEnded = false;
  #finSent = false;
  #finDone = false;
  #paused = false;

  /**
   * @param syn the guest's, or null if this side opens
   * @param sequence of the first SYN sent from here
   * @param open gives the host's stream, which may be connecting still
   */
  constructor(path: TcpPath, endpoints: Endpoints, syn: Segment | null, sequence: number, open: (events: StreamEvents) => HostStream) {
    this.#path = path;
    this.endpoints = endpoints;
    this.#unacknowledged = this.#next = this.#highest = sequence | 0;
    this.#retry = path.clock.timer('tcp-retry', () => this.#again());
    this.#ackTimer = path.clock.timer('tcp-ack', () => this.#acknowledge());
    this.#state = syn === null ? 'opening' : 'connecting';
    if (syn !== null) this.#take(syn);
    this.#stream = open(this);
    if (syn === null) {
      this.#hold();
      this.#sendSyn();
    }
  }

  /** Whether the guest's SYN opened just this connection. */
  isRepeated(syn: Segment): boolean {
    return this.#state !== 'open' && ((syn.sequence + 1) | 0) === this.#expected;
  }

  // What the stream tells.

  connected(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'opening';
    this.#sendSyn();
  }

  data(bytes: Uint8Array): void {
    this.#buffer.add(bytes);
    if (this.#buffer.length >= SEND_HIGH) this.#hold();
    if (this.#state === 'open') this.#output();
  }

  end(): void {
    this.#ended = true;
    if (this.#state === 'open') this.#output();
  }

  drained(): void {
    if (this.#state !== 'open' || this.#guestEnded) return;
    // The guest is told of room only if it is worth a segment.
    const gained = (this.#expected + this.#room() - this.#advertised) | 0;
    if (gained >= Math.min(2 * MSS, RECEIVE_WINDOW / 2)) this.#acknowledge();
  }

  failed(reason: Failure): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'connecting' && reason === 'unreachable') this.#path.unreachable(this.endpoints);
    else this.#send(this.#next, RST | ACK, 0);
    this.#close();
  }

  /** The guest gave up. */
  abort(): void {
    if (this.#state === 'closed') return;
    this.#stream.destroy();
    this.#close();
  }

  /** The network ends: what the guest has sent still goes. */
  finish(): void {
    this.#stream.finish();
    this.#close();
  }

  // What the guest sends.

  receive(segment: Segment): void {
    const { flags } = segment;
    if (flags & RST) {
      const offset = (segment.sequence - this.#expected) | 0;
      const meant = !this.#heard ? (flags & ACK) !== 0 && segment.acknowledged === this.#next : offset >= 0 && offset <= RECEIVE_WINDOW;
      if (meant) this.abort();
      return;
    }
    if (flags & SYN && !this.#takeSyn(segment)) return;
    if (this.#state === 'connecting' || !(flags & ACK) || !this.#takeAck(segment)) return;
    if (flags & SYN) this.#acknowledge();
    this.#takeData(segment);
    this.#output();
    if (this.#guestEnded && this.#finDone) this.#close();
  }

  /** False if there is nothing more to do with the segment. */
  #takeSyn(segment: Segment): boolean {
    if (!this.#heard && segment.flags & ACK && segment.acknowledged === this.#next) {
      this.#take(segment);
      segment.sequence = (segment.sequence + 1) | 0;
      return true;
    }
    if (this.#state === 'opening' && this.isRepeated(segment)) this.#sendSyn();
    else if (this.#state === 'open') this.#acknowledge();
    return false;
  }

  /** What a SYN says. */
  #take({ sequence, mss, scale, window }: Segment): void {
    this.#heard = true;
    this.#expected = this.#advertised = (sequence + 1) | 0;
    this.#mss = Math.min(mss, MSS);
    this.#scaled = scale !== null;
    this.#guestScale = scale ?? 0;
    this.#window = window;
  }

  /** False if the acknowledgement is of something never sent. */
  #takeAck({ acknowledged, window, data, flags }: Segment): boolean {
    const count = (acknowledged - this.#unacknowledged) | 0;
    if (count > ((this.#highest - this.#unacknowledged) | 0)) {
      this.#acknowledge();
      return false;
    }
    // Nothing counts before our SYN is acknowledged.
    if (count <= 0 && this.#state === 'opening') return false;
    const scaled = flags & SYN ? window : window << this.#guestScale;
    if (count > 0) {
      this.#forward(count);
      this.#duplicates = 0;
    } else if (count === 0 && data.length === 0 && scaled === this.#window && this.#next !== this.#unacknowledged && !(flags & (SYN | FIN))) {
      if (++this.#duplicates === DUPLICATES) this.#next = this.#unacknowledged;
    }
    if (count < 0) return true;
    if (this.#window === 0 && scaled > 0) this.#restartRetry();
    this.#window = scaled;
    return true;
  }

  /** The guest has `count` more. */
  #forward(count: number): void {
    this.#unacknowledged = (this.#unacknowledged + count) | 0;
    if (((this.#next - this.#unacknowledged) | 0) < 0) this.#next = this.#unacknowledged;
    this.#restartRetry();
    this.#finDone = this.#finSent && this.#unacknowledged === this.#highest;
    // SYN and FIN have numbers, but no bytes.
    let bytes = count;
    if (this.#state === 'opening') {
      this.#state = 'open';
      bytes--;
      this.#release();
    }
    this.#buffer.drop(Math.min(bytes, this.#buffer.length));
    if (this.#buffer.length <= SEND_LOW) this.#release();
  }

  #restartRetry(): void {
    this.#retries = 0;
    this.#wait = RETRY_FIRST;
    this.#retry.cancel();
  }

  #takeData({ sequence, data, flags }: Segment): void {
    const old = (this.#expected - sequence) | 0;
    const length = data.length, fin = (flags & FIN) !== 0;
    if (length === 0 && !fin) {
      // A probe of a guest that keeps the connection alive.
      if (old === 1) this.#acknowledge();
      return;
    }
    // Out of order, or seen before: the guest is told what is expected.
    if (old < 0 || old > length || (old === length && !fin) || this.#guestEnded) return this.#acknowledge();
    const fresh = Math.min(length - old, this.#room());
    if (fresh > 0) {
      this.#expected = (this.#expected + fresh) | 0;
      this.#untold += fresh;
      this.#stream.write(data.slice(old, old + fresh));
    }
    if (fin && old + fresh === length) {
      this.#expected = (this.#expected + 1) | 0;
      this.#guestEnded = true;
      this.#stream.end();
      this.#acknowledge();
    } else if (this.#untold >= 2 * this.#mss || fresh < length - old) this.#acknowledge();
    else if (!this.#ackTimer.armed) this.#ackTimer.arm(this.#path.clock.now() + ACK_DELAY);
  }

  // What goes to the guest.

  /** Sends what the guest's window allows. */
  #output(): void {
    for (;;) {
      const flying = (this.#next - this.#unacknowledged) | 0, waiting = this.#buffer.length - flying;
      const room = Math.min(this.#window, FLIGHT) - flying;
      const length = Math.min(waiting, room, this.#mss);
      // A small piece waits while others are under way.
      if (length <= 0 || (length < waiting && length < this.#mss && flying > 0)) break;
      this.#sendData(length);
    }
    const flying = (this.#next - this.#unacknowledged) | 0;
    if (this.#ended && !this.#finDone && flying === this.#buffer.length) {
      this.#send(this.#next, FIN | ACK, 0);
      this.#finSent = true;
      this.#sent(1);
    }
    // With something to send and no window, the guest is asked.
    if ((this.#next !== this.#unacknowledged || this.#buffer.length > 0) && !this.#retry.armed) this.#retry.arm(this.#path.clock.now() + this.#wait);
  }

  #sendData(length: number): void {
    const flying = (this.#next - this.#unacknowledged) | 0;
    this.#send(this.#next, flying + length === this.#buffer.length ? PSH | ACK : ACK, length, flying);
    this.#sent(length);
  }

  #sent(count: number): void {
    this.#next = (this.#next + count) | 0;
    if (((this.#next - this.#highest) | 0) > 0) this.#highest = this.#next;
  }

  /** Nothing came back in time. */
  #again(): void {
    const probing = this.#state === 'open' && this.#window === 0;
    if (!probing && ++this.#retries > RETRIES) {
      this.#send(this.#next, RST | ACK, 0);
      this.abort();
      return;
    }
    this.#wait = Math.min(2 * this.#wait, RETRY_LONGEST);
    this.#next = this.#unacknowledged;
    if (this.#state === 'opening') this.#sendSyn();
    else {
      // One byte past a closed window makes the guest say how it is.
      if (probing && this.#buffer.length > 0) this.#sendData(1);
      this.#output();
    }
  }

  #sendSyn(): void {
    this.#next = this.#unacknowledged;
    this.#send(this.#next, this.#heard ? SYN | ACK : SYN, 0);
    this.#sent(1);
    this.#retry.arm(this.#path.clock.now() + this.#wait);
  }

  #acknowledge(): void {
    this.#send(this.#next, ACK, 0);
  }

  /** A segment with `length` bytes of what waits, from `offset` on. */
  #send(sequence: number, flags: number, length: number, offset = 0): void {
    const { guestPort, remotePort } = this.endpoints;
    const options = flags & SYN ? synOptions(MSS, this.#scaled ? SCALE : null) : [];
    const header = TCP_HEADER + options.length, frame = new Uint8Array(IP_DATA + header + length);
    const room = this.#room(), shown = flags & SYN || !this.#scaled ? Math.min(room, 65535) : room >>> SCALE;
    writeHeader(frame, IP_DATA, {
      sourcePort: remotePort, destinationPort: guestPort, sequence, acknowledged: flags & ACK ? this.#expected : 0, flags, window: shown,
    }, options);
    if (length > 0) this.#buffer.copy(offset, frame, IP_DATA + header, length);
    if (flags & ACK) {
      this.#advertised = (this.#expected + (flags & SYN || !this.#scaled ? shown : shown << SCALE)) | 0;
      this.#untold = 0;
      this.#ackTimer.cancel();
    }
    this.#path.send(this.endpoints, frame);
  }

  /** Bytes that the guest may send: never less than it was told. */
  #room(): number {
    const most = this.#scaled ? RECEIVE_WINDOW : 65535, told = (this.#advertised - this.#expected) | 0;
    return Math.max(most - this.#stream.pending, told, 0);
  }

  #hold(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #release(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  #close(): void {
    this.#state = 'closed';
    this.#retry.cancel();
    this.#ackTimer.cancel();
    this.#path.closed(this);
  }
}
