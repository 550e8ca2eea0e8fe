/** What every Ethernet card needs: the frame check sequence and the hash of multicast addresses. Source: IEEE 802.3, 3.2.9. */

export const MAC_SIZE = 6;
export const FCS_SIZE = 4;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The FCS of a frame: the first byte on the wire is the lowest. */
export function frameCheck(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc;
}

/** The first six bits on the wire of the check sequence of a destination address, as a number: what cards look up in a table of 64 bits. */
export function multicastHash(frame: Uint8Array): number {
  const crc = ~frameCheck(frame.subarray(0, MAC_SIZE));
  let hash = 0;
  for (let bit = 0; bit < 6; bit++) hash = (hash << 1) | ((crc >>> bit) & 1);
  return hash;
}

export const isMulticast = (frame: Uint8Array): boolean => (frame[0] & 1) !== 0;

export function isBroadcast(frame: Uint8Array): boolean {
  for (let i = 0; i < MAC_SIZE; i++) if (frame[i] !== 0xff) return false;
  return true;
}

/** The frame is for this address. */
export function isFor(frame: Uint8Array, mac: Uint8Array, at = 0): boolean {
  for (let i = 0; i < MAC_SIZE; i++) if (frame[i] !== mac[at + i]) return false;
  return true;
}
