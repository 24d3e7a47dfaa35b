/** Transcoded parts by name. Losing one costs making it again, so nothing that goes wrong here is an error of a request. */
export interface PartCache {
  /** Undefined when it is not there, or not as it was written. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Of all that is kept. */
  readonly sizeBytes: number;
}

/** Where nothing is to be kept. */
export const noPartCache: PartCache = {
  read: async () => undefined,
  write: async () => undefined,
  sizeBytes: 0,
};
