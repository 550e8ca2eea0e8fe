/** What the user network needs of its host. host-sockets.ts has it from Node; tests may make their own. */

/** Why a connection could not be made, or ended. */
export type Failure = 'refused' | 'unreachable' | 'reset';

/** What a stream tells its owner. */
export interface StreamEvents {
  connected(): void;
  /** The owner may keep the bytes. */
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  end(): void;
  /** Everything written so far has gone. */
  drained(): void;
  failed(reason: Failure): void;
}

/** A TCP connection of the host. */
export interface HostStream {
  events: StreamEvents | null;
  /** The host keeps the bytes. */
  write(bytes: Uint8Array): void;
  /** Bytes written that have not gone yet. */
  readonly pending: number;
  /** Sends no more. */
  end(): void;
  /** Gives up; the other side sees a reset. */
  destroy(): void;
  /** Closes once everything written has gone. */
  finish(): void;
  pause(): void;
  resume(): void;
}

/** A UDP port of the host. */
export interface HostDatagrams {
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): void;
}

export type Received = (bytes: Uint8Array, address: string, port: number) => void;

export interface HostNetwork {
  /** `events` are told later, never within the call. */
  connect(address: string, port: number, events: StreamEvents): HostStream;
  /** A port that the host chooses. @param ipv6 for such destinations */
  datagrams(ipv6: boolean, received: Received): HostDatagrams;
  /** Where names are asked for; null: nowhere. */
  resolver(): { readonly address: string; readonly port: number } | null;
}
