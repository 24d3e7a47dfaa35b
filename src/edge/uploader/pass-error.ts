import { AppError, errnoOf } from "../../common/errors.ts";

/** For `catch`: an `io` error that says which side of the pass failed, with the errno. */
export function rethrowAs(side: "spool" | "archive", message: string): (cause: unknown) => never {
  return (cause) => {
    // A target that is no file of this machine says itself what happened.
    if (cause instanceof AppError && (cause.details.side === side || cause.code === "cancelled")) throw cause;
    const errno = errnoOf(cause) ?? (cause instanceof Error ? errnoOf(cause.cause) : undefined);
    throw new AppError("io", message, { cause, details: { side, errno } });
  };
}
