/** Frame types (RFC 9113 section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags; ACK shares its bit with END_STREAM. */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** SETTINGS parameters (RFC 9113 section 6.5.2). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const FRAME_HEADER_BYTES = 9;
/** What both ends take before SETTINGS say more; we never ask for more, so that a frame is never large. */
export const FRAME_PAYLOAD_BYTES = 16_384;
/** The largest that SETTINGS_MAX_FRAME_SIZE may be. */
export const FRAME_PAYLOAD_BYTES_LIMIT = 2 ** 24 - 1;
/** Every window begins with it until SETTINGS say otherwise. */
export const WINDOW_BYTES_DEFAULT = 65_535;
export const WINDOW_BYTES_LIMIT = 2 ** 31 - 1;
/** What a client's connection begins with (RFC 9113 section 3.4). */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
