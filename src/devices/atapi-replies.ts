/**
 * What a CD-ROM drive tells of itself and of its medium: table of contents, features, mode pages, disc and track information.
 * Numbers are big-endian. Source: MMC-3 (T10/1363D) §5 (features, mode pages) and §6 (commands); INF-8020 for the pages of old.
 */
import { CD_SECTOR, msf } from './cd-medium.ts';
import type { CdMedium } from './cd-medium.ts';

export const PROFILE_CD = 0x08, PROFILE_DVD = 0x10;
export const LEAD_OUT = 0xaa;
/** ADR 1 (position), control 4 (data track). */
const DATA_TRACK = 0x14;
const MAX_SPEED = 5540; // KB/s: DVD 4x
const BUFFER_KB = 512;

export const be16 = (value: number): readonly number[] => [value >>> 8 & 0xff, value & 0xff];
export const be32 = (value: number): readonly number[] => [...be16(value >>> 16), ...be16(value)];

/** An address in an answer. */
const address = (lba: number, asMsf: boolean): readonly number[] => (asMsf ? [0, ...msf(lba)] : be32(lba));

/** READ TOC format 0: tracks from `first` on. */
export function tocTracks(medium: CdMedium, first: number, asMsf: boolean): number[] {
  const entry = (track: number, lba: number): number[] => [0, DATA_TRACK, track, 0, ...address(lba, asMsf)];
  const entries = [...(first <= 1 ? entry(1, 0) : []), ...entry(LEAD_OUT, medium.sectors)];
  return [...be16(2 + entries.length), 1, 1, ...entries];
}

/** READ TOC format 1: the last session's first track. */
export const tocSessions = (asMsf: boolean): number[] => [...be16(10), 1, 1, 0, DATA_TRACK, 1, 0, ...address(0, asMsf)];

/** READ TOC format 2: what the lead-in's Q channel holds, always as minute, second, frame. */
export function tocRaw(medium: CdMedium): number[] {
  const entry = (point: number, place: readonly number[]): number[] => [1, DATA_TRACK, 0, point, 0, 0, 0, 0, ...place];
  const entries = [...entry(0xa0, [1, 0, 0]), ...entry(0xa1, [1, 0, 0]), ...entry(0xa2, msf(medium.sectors)), ...entry(1, msf(0))];
  return [...be16(2 + entries.length), 1, 1, ...entries];
}

/** GET CONFIGURATION. @param kind 0 all features from `first` on, 1 those of them that are current, 2 just `first` */
export function configuration(medium: CdMedium | null, kind: number, first: number): number[] {
  const cd = medium !== null && !medium.isDvd, dvd = medium !== null && medium.isDvd;
  // Number, version, whether it is always there (persistent), whether it is current, and its data.
  const features: readonly (readonly [number, number, boolean, boolean, readonly number[]])[] = [
    [0x0000, 0, true, true, [...be16(PROFILE_DVD), Number(dvd), 0, ...be16(PROFILE_CD), Number(cd), 0]], // profiles
    [0x0001, 1, true, true, [...be32(2), 0, 0, 0, 0]], // core: ATAPI
    [0x0003, 0, true, true, [0x29, 0, 0, 0]], // removable medium: tray, eject, lock
    [0x0010, 0, false, medium !== null, [...be32(CD_SECTOR), ...be16(1), 0, 0]], // random readable
    [0x001e, 0, false, cd, [0, 0, 0, 0]], // CD read
    [0x001f, 0, false, dvd, []], // DVD read
    [0x0100, 0, true, true, []], // power management
    [0x0105, 0, true, true, []], // time-out
  ];
  const wanted = features.filter(([number, , , current]) => (kind === 2 ? number === first : number >= first && (kind === 0 || current)));
  const bytes = wanted.flatMap(([number, version, persistent, current, data]) => [
    ...be16(number), version << 2 | (persistent ? 2 : 0) | (current ? 1 : 0), data.length, ...data,
  ]);
  return [...be32(4 + bytes.length), 0, 0, ...be16(dvd ? PROFILE_DVD : cd ? PROFILE_CD : 0), ...bytes];
}

/** Pages that MODE SELECT changes: read error recovery, audio control. The rest of the drive's settings is fixed. */
export interface ModePages {
  recovery: Uint8Array;
  audio: Uint8Array;
}

export const RECOVERY_PAGE = 0x01, AUDIO_PAGE = 0x0e;
const CAPABILITIES_PAGE = 0x2a;
export const RECOVERY_DEFAULT = [0x00, 0x05, 0, 0, 0, 0];
export const AUDIO_DEFAULT = [0x04, 0, 0, 0, 0, 75, 0x01, 0xff, 0x02, 0xff, 0, 0, 0, 0];
/** Which bits of these pages can be changed. */
const RECOVERY_MASK = [0xff, 0xff, 0, 0, 0, 0], AUDIO_MASK = [0x02, 0, 0, 0, 0, 0, 0x0f, 0xff, 0x0f, 0xff, 0, 0, 0, 0];

const capabilities = (locked: boolean): number[] => [
  0x3b, 0, // reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R; writes nothing
  0x70, 0x00, // mode 2 form 1 and 2, more sessions
  0x29 | (locked ? 2 : 0), 0, // tray, can be locked and ejected
  ...be16(MAX_SPEED), ...be16(256), ...be16(BUFFER_KB), ...be16(MAX_SPEED), 0, 0, 0, 0,
];

/** The mode pages that `page` names (3Fh: all). @param control 0 current, 1 what can be changed, 2 default. null: no such page */
export function modePages({ recovery, audio }: ModePages, locked: boolean, page: number, control: number): number[] | null {
  const pages: readonly (readonly [number, readonly number[]])[] = [
    [RECOVERY_PAGE, [[...recovery], RECOVERY_MASK, RECOVERY_DEFAULT][control]!],
    [AUDIO_PAGE, [[...audio], AUDIO_MASK, AUDIO_DEFAULT][control]!],
    [CAPABILITIES_PAGE, control === 1 ? capabilities(false).fill(0) : capabilities(locked)],
  ];
  const wanted = pages.filter(([number]) => page === 0x3f || page === number);
  return wanted.length === 0 ? null : wanted.flatMap(([number, bytes]) => [number, bytes.length, ...bytes]);
}

/** Medium type of old: INF-8020, table 90. */
export const mediumType = (medium: CdMedium | null, open: boolean): number => (open ? 0x71 : medium === null ? 0x70 : 0x01);

/** READ DISC INFORMATION: one session, complete. */
export const discInformation = (): number[] => [
  ...be16(32), 0x0e, 1, 1, 1, 1, 0x20, 0, 0, 0, 0, ...be32(0), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...be32(0), ...be32(0), 0, 0,
];

/** READ TRACK INFORMATION: the only track, mode 1. */
export const trackInformation = (medium: CdMedium): number[] => [
  ...be16(34), 1, 1, 0, 0x04, 0x01, 0, ...be32(0), ...be32(0), ...be32(0), ...be32(0), ...be32(medium.sectors), ...be32(0), 0, 0, 0, 0,
];

/** READ SUB-CHANNEL, no audio playing. @param format 1 position, 2 catalogue number, 3 ISRC */
export function subChannel(format: number, withQ: boolean, lba: number, asMsf: boolean): number[] {
  const NO_AUDIO = 0x15;
  const data = !withQ ? [] : format === 1 ? [1, DATA_TRACK, 1, 1, ...address(lba, asMsf), ...(asMsf ? [0, ...relativeMsf(lba)] : be32(lba))]
    : [format, format === 3 ? DATA_TRACK : 0, format === 3 ? 1 : 0, 0, ...new Array<number>(16).fill(0)];
  return [0, NO_AUDIO, ...be16(data.length), ...data];
}

/** From the start of the track: without the pause. */
const relativeMsf = (lba: number): readonly number[] => [Math.floor(lba / 4500), Math.floor(lba / 75) % 60, lba % 75];
