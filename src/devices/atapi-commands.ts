/**
 * The packet commands of a CD-ROM drive as a table: a handler says what a packet asks for, and the drive (atapi-cdrom.ts) does it.
 * What is not listed fails with "invalid command operation code". Source: MMC-3 (T10/1363D) §6; SPC-2 (T10/1236D) §7; INF-8020.
 */
import {
  AUDIO_PAGE, LEAD_OUT, RECOVERY_PAGE, be16, be32, configuration, discInformation, mediumType, modePages, subChannel, tocRaw, tocSessions, tocTracks, trackInformation,
} from './atapi-replies.ts';
import type { ModePages } from './atapi-replies.ts';
import { INVALID_FIELD, INVALID_PARAMETER, LIST_TOO_SHORT, LOCKED, NOT_PLAYING, NOT_SAVED, OUT_OF_RANGE, WRONG_TRACK_MODE, senseData } from './atapi-sense.ts';
import type { Sense } from './atapi-sense.ts';
import { CD_SECTOR, fromMsf } from './cd-medium.ts';
import type { CdMedium } from './cd-medium.ts';
import { partsSize } from './cd-sector.ts';

/** What a command comes to. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly sense: Sense }
  /** An answer, of which the host takes `allocation` bytes at most. */
  | { readonly kind: 'reply'; readonly bytes: ArrayLike<number>; readonly allocation: number }
  /** Sectors of the medium: `parts` as in byte 9 of READ CD, `unit` bytes of each. */
  | { readonly kind: 'read'; readonly lba: number; readonly count: number; readonly parts: number; readonly unit: number }
  /** Data from the host, for `store`. */
  | { readonly kind: 'receive'; readonly length: number };

/** What a command sees of its drive. */
export interface CdDrive {
  /** null: there is none, or the tray is open. */
  readonly medium: CdMedium | null;
  readonly fields: ModePages & {
    /** 1: the guest does not want the medium to be taken out. */
    locked: number;
    trayOpen: number;
    /** The last sector read. */
    lba: number;
  };
  /** The sense of the last command, or of what waits to be reported; it counts as reported. */
  takeSense(): Sense;
  /** Media event to report (0 none, 1 eject asked for, 2 new, 3 removed); it counts as reported. */
  takeEvent(): number;
  /** Opens or closes the tray. */
  moveTray(open: boolean): void;
}

export interface CdCommand {
  readonly name: string;
  /** Runs while a unit attention waits. */
  readonly always: boolean;
  readonly needsMedium: boolean;
  readonly run: (drive: CdDrive, packet: Packet) => Outcome;
  /** Takes the data of a `receive`. */
  readonly store?: (drive: CdDrive, packet: Packet, data: Uint8Array) => Outcome;
}

export class Packet {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  at(offset: number): number {
    return this.bytes[offset]!;
  }

  word(offset: number): number {
    return this.at(offset) << 8 | this.at(offset + 1);
  }

  long(offset: number): number {
    return this.word(offset) * 65536 + this.word(offset + 2);
  }

  /** Addresses are wanted as minute, second, frame. */
  get msf(): boolean {
    return (this.at(1) & 2) !== 0;
  }
}

const DONE: Outcome = { kind: 'done' };
const failed = (sense: Sense): Outcome => ({ kind: 'failed', sense });
const reply = (bytes: ArrayLike<number>, allocation: number): Outcome => ({ kind: 'reply', bytes, allocation });

const DATA = 0x10;

function read(drive: CdDrive, lba: number, count: number, parts = DATA): Outcome {
  if (lba < 0 || lba + count > drive.medium!.sectors) return failed(OUT_OF_RANGE);
  const unit = partsSize(parts);
  return count === 0 || unit === 0 ? DONE : { kind: 'read', lba, count, parts, unit };
}

/** READ CD and READ CD MSF. */
function readCd(drive: CdDrive, packet: Packet, lba: number, count: number): Outcome {
  const type = packet.at(1) >> 2 & 7, parts = packet.at(9) & 0xf8;
  if ((packet.at(9) & 6) !== 0 || (packet.at(10) & 7) !== 0) return failed(INVALID_FIELD); // no error flags, no subchannels
  // 1 audio, 2 mode 1, 3–5 mode 2.
  return type === 0 || type === 2 ? read(drive, lba, count, parts) : failed(WRONG_TRACK_MODE);
}

function inquiry(_drive: CdDrive, packet: Packet): Outcome {
  if ((packet.at(1) & 1) !== 0 || packet.at(2) !== 0) return failed(INVALID_FIELD);
  const text = [...'TCG86   CD-ROM          0.1 '].map((char) => char.charCodeAt(0));
  return reply([0x05, 0x80, 0, 0x21, 31, 0, 0, 0, ...text], packet.word(3));
}

/** @param long the commands of 10 bytes: a header of 8, not 4 */
const modeSense = (long: boolean) => (drive: CdDrive, packet: Packet): Outcome => {
  const control = packet.at(2) >> 6, page = packet.at(2) & 0x3f;
  if (control === 3) return failed(NOT_SAVED);
  const pages = modePages(drive.fields, drive.fields.locked !== 0, page, control);
  if (pages === null) return failed(INVALID_FIELD);
  const type = mediumType(drive.medium, drive.fields.trayOpen !== 0);
  if (long) return reply([...be16(6 + pages.length), type, 0, 0, 0, 0, 0, ...pages], packet.word(7));
  return reply([3 + pages.length, type, 0, 0, ...pages], packet.at(4));
};

const modeSelect = (long: boolean): Pick<CdCommand, 'run' | 'store'> => ({
  run: (_drive, packet) => {
    const length = long ? packet.word(7) : packet.at(4);
    if ((packet.at(1) & 1) !== 0) return failed(NOT_SAVED);
    return length === 0 ? DONE : { kind: 'receive', length };
  },
  store: ({ fields }, _packet, data) => {
    const header = long ? 8 : 4;
    if (data.length < header) return failed(LIST_TOO_SHORT);
    const descriptors = long ? data[6]! << 8 | data[7]! : data[3]!;
    const changes: (readonly [Uint8Array, Uint8Array])[] = [];
    for (let at = header + descriptors; at < data.length; at += 2 + data[at + 1]!) {
      const number = data[at]! & 0x3f, target = number === RECOVERY_PAGE ? fields.recovery : number === AUDIO_PAGE ? fields.audio : null;
      if (target === null || data[at + 1] !== target.length) return failed(INVALID_PARAMETER);
      if (at + 2 + target.length > data.length) return failed(LIST_TOO_SHORT);
      changes.push([target, data.subarray(at + 2, at + 2 + target.length)]);
    }
    for (const [target, bytes] of changes) target.set(bytes);
    return DONE;
  },
});

function startStop(drive: CdDrive, packet: Packet): Outcome {
  const load = (packet.at(4) & 2) !== 0, start = (packet.at(4) & 1) !== 0;
  if (packet.at(4) >> 4 !== 0 || !load) return DONE; // a power condition, or the motor
  if (!start && drive.fields.trayOpen === 0 && drive.fields.locked !== 0) return failed(LOCKED);
  drive.moveTray(!start);
  return DONE;
}

function readToc({ medium }: CdDrive, packet: Packet): Outcome {
  // INF-8020 has the format in bits 7–6 of byte 9.
  const format = packet.at(2) & 15 || packet.at(9) >> 6, track = packet.at(6), allocation = packet.word(7);
  if (format === 1) return reply(tocSessions(packet.msf), allocation);
  if (format === 2) return track > 1 ? failed(INVALID_FIELD) : reply(tocRaw(medium!), allocation);
  if (format !== 0 || (track > 1 && track !== LEAD_OUT)) return failed(INVALID_FIELD);
  return reply(tocTracks(medium!, track, packet.msf), allocation);
}

const MEDIA_EVENTS = 4;

function eventStatus(drive: CdDrive, packet: Packet): Outcome {
  if ((packet.at(1) & 1) === 0) return failed(INVALID_FIELD); // asynchronous: not supported
  const supported = 1 << MEDIA_EVENTS;
  if ((packet.at(4) & supported) === 0) return reply([0, 2, 0x80, supported], packet.word(7));
  const { trayOpen } = drive.fields;
  const status = (trayOpen !== 0 ? 1 : 0) | (drive.medium !== null ? 2 : 0);
  // A host that takes no more than the header learns nothing.
  const event = packet.word(7) > 4 ? drive.takeEvent() : 0;
  return reply([0, 6, MEDIA_EVENTS, supported, event, status, 0, 0], packet.word(7));
}

function readSubChannel(drive: CdDrive, packet: Packet): Outcome {
  const format = packet.at(3), withQ = (packet.at(2) & 0x40) !== 0;
  if (withQ && (format < 1 || format > 3)) return failed(INVALID_FIELD);
  return reply(subChannel(format, withQ, drive.fields.lba, packet.msf), packet.word(7));
}

const inRange = ({ medium }: CdDrive, lba: number, count = 0): Outcome => (lba + count > medium!.sectors || lba >= medium!.sectors ? failed(OUT_OF_RANGE) : DONE);

const ALWAYS = 1, MEDIUM = 2;

const ROWS: readonly (readonly [code: number, name: string, flags: number, run: CdCommand['run'] | Pick<CdCommand, 'run' | 'store'>])[] = [
  [0x00, 'TEST UNIT READY', MEDIUM, () => DONE],
  [0x01, 'REZERO', 0, () => DONE],
  [0x03, 'REQUEST SENSE', ALWAYS, (drive, packet) => reply(senseData(drive.takeSense()), packet.at(4))],
  [0x12, 'INQUIRY', ALWAYS, inquiry],
  [0x15, 'MODE SELECT(6)', 0, modeSelect(false)],
  [0x1a, 'MODE SENSE(6)', 0, modeSense(false)],
  [0x1b, 'START STOP UNIT', 0, startStop],
  [0x1e, 'PREVENT ALLOW MEDIUM REMOVAL', 0, ({ fields }, packet) => {
    fields.locked = packet.at(4) & 1;
    return DONE;
  }],
  [0x25, 'READ CAPACITY', MEDIUM, ({ medium }) => reply([...be32(medium!.sectors - 1), ...be32(CD_SECTOR)], 8)],
  [0x28, 'READ(10)', MEDIUM, (drive, packet) => read(drive, packet.long(2), packet.word(7))],
  [0x2b, 'SEEK(10)', MEDIUM, (drive, packet) => inRange(drive, packet.long(2))],
  [0x2f, 'VERIFY(10)', MEDIUM, (drive, packet) => inRange(drive, packet.long(2), packet.word(7))],
  [0x42, 'READ SUB-CHANNEL', MEDIUM, readSubChannel],
  [0x43, 'READ TOC', MEDIUM, readToc],
  [0x44, 'READ HEADER', MEDIUM, (drive, packet) => {
    const lba = packet.long(2), bad = inRange(drive, lba);
    return bad.kind === 'failed' ? bad : reply([1, 0, 0, 0, ...be32(lba)], packet.word(7));
  }],
  [0x45, 'PLAY AUDIO(10)', MEDIUM, () => failed(WRONG_TRACK_MODE)],
  [0x46, 'GET CONFIGURATION', ALWAYS, ({ medium }, packet) => (
    (packet.at(1) & 3) === 3 ? failed(INVALID_FIELD) : reply(configuration(medium, packet.at(1) & 3, packet.word(2)), packet.word(7)))],
  [0x47, 'PLAY AUDIO MSF', MEDIUM, () => failed(WRONG_TRACK_MODE)],
  [0x4a, 'GET EVENT STATUS NOTIFICATION', ALWAYS, eventStatus],
  [0x4b, 'PAUSE/RESUME', MEDIUM, () => failed(NOT_PLAYING)],
  [0x4e, 'STOP PLAY/SCAN', 0, () => DONE],
  [0x51, 'READ DISC INFORMATION', MEDIUM, (_drive, packet) => ((packet.at(1) & 7) !== 0 ? failed(INVALID_FIELD) : reply(discInformation(), packet.word(7)))],
  [0x52, 'READ TRACK INFORMATION', MEDIUM, ({ medium }, packet) => {
    // By an address in it, or by its number (type 1), or its session (type 2).
    const type = packet.at(1) & 3, number = packet.long(2);
    return type === 3 || (type === 0 ? number >= medium!.sectors : number > 1) ? failed(INVALID_FIELD) : reply(trackInformation(medium!), packet.word(7));
  }],
  [0x55, 'MODE SELECT(10)', 0, modeSelect(true)],
  [0x5a, 'MODE SENSE(10)', 0, modeSense(true)],
  [0xa5, 'PLAY AUDIO(12)', MEDIUM, () => failed(WRONG_TRACK_MODE)],
  [0xa8, 'READ(12)', MEDIUM, (drive, packet) => read(drive, packet.long(2), packet.long(6))],
  [0xb9, 'READ CD MSF', MEDIUM, (drive, packet) => {
    const first = fromMsf(packet.at(3), packet.at(4), packet.at(5)), end = fromMsf(packet.at(6), packet.at(7), packet.at(8));
    return end < first ? failed(INVALID_FIELD) : readCd(drive, packet, first, end - first);
  }],
  [0xbb, 'SET CD SPEED', 0, () => DONE],
  [0xbd, 'MECHANISM STATUS', 0, ({ fields }, packet) => reply([0, fields.trayOpen !== 0 ? 0x10 : 0, ...be32(fields.lba).slice(1), 1, 0, 0], packet.word(8))],
  [0xbe, 'READ CD', MEDIUM, (drive, packet) => readCd(drive, packet, packet.long(2), packet.at(6) * 65536 + packet.word(7))],
];

/** By operation code. */
export const CD_COMMANDS: ReadonlyMap<number, CdCommand> = new Map(ROWS.map(([code, name, flags, run]) => [code, {
  name, always: (flags & ALWAYS) !== 0, needsMedium: (flags & MEDIUM) !== 0, ...(typeof run === 'function' ? { run } : run),
}]));
