import * as v from "valibot";
import { AppError } from "../../common/errors.ts";

/** OWASP's minimum for argon2id. 19 MiB for each that is checked at once. */
const argon2id = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
const maxAtOnce = 2;
const maxWaiting = 16;

export const minPasswordLength = 8;
export const maxPasswordLength = 1024;

export const UserName = v.pipe(
  v.string(),
  v.transform(normalizeUserName),
  v.regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u,
    "1 to 64 letters, digits and . _ @ -, beginning with a letter or digit",
  ),
);

export const NewPassword = v.pipe(
  v.string(),
  v.minLength(minPasswordLength, `at least ${minPasswordLength} characters`),
  v.maxLength(maxPasswordLength, `at most ${maxPasswordLength} characters`),
);

/** Names are compared without regard to case and to how accents are encoded. */
export function normalizeUserName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/**
 * Hashes and checks passwords, two at a time: each costs memory and a thread. Who comes when sixteen are waiting
 * hears `unavailable`.
 */
export class Passwords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | undefined;

  hash(password: string): Promise<string> {
    return this.#oneOfTwo(() => Bun.password.hash(password, argon2id));
  }

  /** Without a hash, for a user that does not exist, it takes as long as with one and is false. */
  verify(password: string, hash: string | undefined): Promise<boolean> {
    if (password.length > maxPasswordLength) return Promise.resolve(false);
    return this.#oneOfTwo(async () => {
      this.#decoy ??= Bun.password.hash(crypto.randomUUID(), argon2id);
      const decoy = await this.#decoy;
      // Bun refuses an empty password with an exception.
      const isRight = await Bun.password.verify(password === "" ? "\0" : password, hash ?? decoy);
      return isRight && hash !== undefined;
    });
  }

  async #oneOfTwo<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxAtOnce) {
      if (this.#waiting.length >= maxWaiting) {
        throw new AppError("unavailable", "too many people sign in at once; try again in a moment");
      }
      await new Promise<void>((resume) => this.#waiting.push(resume));
    } else this.#running++;
    try {
      return await work();
    } finally {
      // The place is handed on, so that nobody slips in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
