/** Register and status bits of the 82077AA. Source: Intel 82077AA data sheet (290166), §2.1 and §5. */

/** Offsets from 3F0. */
export const FDC_DOR = 2;
export const FDC_TDR = 3;
export const FDC_MSR = 4;
export const FDC_DSR = 4;
export const FDC_FIFO = 5;

/** DOR: not in reset. */
export const DOR_NRESET = 0x04;
/** DOR: interrupt and DMA request pins are driven. */
export const DOR_DMAGATE = 0x08;
/** DOR: motor of drive 0; the others follow in the bits above. */
export const DOR_MOTOR0 = 0x10;

/** MSR: the FIFO can be accessed. */
export const MSR_RQM = 0x80;
/** MSR: the next byte goes to the host. */
export const MSR_DIO = 0x40;
/** MSR: execution phase without DMA. */
export const MSR_NONDMA = 0x20;
/** MSR: command in progress. */
export const MSR_BUSY = 0x10;

/** DSR: software reset, clears itself. */
export const DSR_RESET = 0x80;

/** ST0: interrupt code: abnormal termination. */
export const ST0_ABNORMAL = 0x40;
/** ST0: invalid command. */
export const ST0_INVALID = 0x80;
/** ST0: ended by polling (after a reset). */
export const ST0_POLLING = 0xc0;
/** ST0: seek end. */
export const ST0_SEEK_END = 0x20;
/** ST0: equipment check: track 0 not found. */
export const ST0_EQUIPMENT = 0x10;
/** ST0, ST3 and the second command byte: head. */
export const HEAD_BIT = 0x04;

/** ST1: end of cylinder. */
export const ST1_EN = 0x80;
/** ST1: data error. */
export const ST1_DE = 0x20;
/** ST1: overrun. */
export const ST1_OR = 0x10;
/** ST1: no data (sector not found). */
export const ST1_ND = 0x04;
/** ST1: not writable. */
export const ST1_NW = 0x02;
/** ST1: missing address mark. */
export const ST1_MA = 0x01;

/** ST2: control mark: the sector's mark is of the other kind. */
export const ST2_CM = 0x40;
/** ST2: data error in the data field. */
export const ST2_DD = 0x20;
/** ST2: wrong cylinder. */
export const ST2_WC = 0x10;
/** ST2: bad cylinder (FFh recorded). */
export const ST2_BC = 0x02;

/** ST3: write protected. */
export const ST3_WP = 0x40;
/** ST3: head at track 0. */
export const ST3_TRACK0 = 0x10;
/** ST3: bits 5 and 3 always read as ones. */
export const ST3_ONES = 0x28;

/** CONFIGURE: implied seek. */
export const CONFIG_EIS = 0x40;
/** CONFIGURE: FIFO off. */
export const CONFIG_EFIFO = 0x20;
/** CONFIGURE: polling off. */
export const CONFIG_POLL = 0x10;

/** Fields of the first command byte. */
export const COMMAND_MT = 0x80;
export const COMMAND_MFM = 0x40;
export const COMMAND_SK = 0x20;
