/** Whether it is a whole JPEG, as far as its two ends tell: a write cut short has no end marker. */
export function isJpeg(bytes: Uint8Array): boolean {
  const size = bytes.length;
  return (
    size > 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[size - 2] === 0xff && bytes[size - 1] === 0xd9
  );
}
