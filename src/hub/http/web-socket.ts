/** One end of an open WebSocket. */
export interface HubSocket {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Bytes handed to `send` that have not left yet. */
  bufferedBytes(): number;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** What whoever upgraded a request hears of the connection. */
export interface SocketEvents {
  /** First, and once. */
  open(socket: HubSocket): void;
  message(data: string | Uint8Array<ArrayBuffer>): void;
  /** Last, and once. */
  close(code: number, reason: string): void;
  /** One of the above threw. */
  failed(error: Error): void;
}
