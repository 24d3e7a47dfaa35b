import { AppError } from "../../../common/errors.ts";

/** For who asks for another quality all the same. */
export function transcodingIsOff(): AppError {
  return new AppError(
    "not_supported",
    "this hub does not transcode (`transcoding: false` in its configuration)",
  );
}
