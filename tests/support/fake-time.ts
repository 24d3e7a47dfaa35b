import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Debian's libfaketime; undefined where it is not installed. */
export const faketimeLibrary: string | undefined = [
  ...new Bun.Glob("usr/lib/*/faketime/libfaketimeMT.so.1").scanSync({ cwd: "/" }),
].map((path) => `/${path}`)[0];

/** The wall clock of processes, which can be set while they run. Monotonic time stays as it is. */
export class FakeTime {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  static async create(folder: string, offsetSeconds: number): Promise<FakeTime> {
    const time = new FakeTime(join(folder, "faketime"));
    await time.set(offsetSeconds);
    return time;
  }

  /** So much later, or earlier, than it is. */
  async set(offsetSeconds: number): Promise<void> {
    await writeFile(this.#file, `${offsetSeconds < 0 ? "" : "+"}${Math.round(offsetSeconds)}\n`);
  }

  get env(): Record<string, string | undefined> {
    return {
      ...process.env,
      LD_PRELOAD: faketimeLibrary,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }
}
