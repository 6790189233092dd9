import type { HeaderList } from "../../http/types.ts";
import type { RequestHead, ResponseHead } from "../transport.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";
import { ENTRY_OVERHEAD_BYTES } from "./hpack/static-table.ts";
import type { PeerSettings } from "./peer-settings.ts";

/** What trailers have for a status. */
const NO_STATUS = 0;

/** Sends heads and trailers. Each method answers false, with nothing sent, for one that the peer cannot be sent. */
export class HeadSender {
  private readonly encoder: HpackEncoder;
  private readonly writer: FrameWriter;
  private readonly peerSettings: PeerSettings;

  constructor(encoder: HpackEncoder, writer: FrameWriter, peerSettings: PeerSettings) {
    this.encoder = encoder;
    this.writer = writer;
    this.peerSettings = peerSettings;
  }

  request(id: number, head: RequestHead, endStream: boolean): boolean {
    return this.send(id, head, NO_STATUS, head.headers, endStream);
  }

  response(id: number, head: ResponseHead, endStream: boolean): boolean {
    return this.send(id, undefined, head.status, head.headers, endStream);
  }

  trailers(id: number, trailers: HeaderList): boolean {
    return this.send(id, undefined, NO_STATUS, trailers, true);
  }

  private send(
    id: number,
    request: RequestHead | undefined,
    status: number,
    headers: HeaderList,
    endStream: boolean,
  ): boolean {
    if (this.isTooLarge(headers)) return false;
    let block: Buffer;
    try {
      if (request !== undefined) block = this.encoder.request(request);
      else if (status === NO_STATUS) block = this.encoder.trailers(headers);
      else block = this.encoder.response(status, headers);
    } catch {
      return false;
    }
    this.writer.headers(id, block, endStream);
    return true;
  }

  /** Whether it is over the peer's SETTINGS_MAX_HEADER_LIST_SIZE; pseudo-headers are not counted here. */
  private isTooLarge(headers: HeaderList): boolean {
    const { headerBytesMax } = this.peerSettings;
    if (headerBytesMax === Number.POSITIVE_INFINITY) return false;
    let bytes = headers.length * (ENTRY_OVERHEAD_BYTES / 2);
    for (let i = 0; i < headers.length; i += 1) bytes += (headers[i] as string).length;
    return bytes > headerBytesMax;
  }
}
