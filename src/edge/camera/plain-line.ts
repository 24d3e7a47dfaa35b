const maxLength = 300;

/**
 * Foreign text as one line for logs and status: without control characters, without user and password in addresses
 * (ffmpeg repeats the address it was given), shortened.
 */
export function plainLine(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is the point
      .replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ")
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, "$1")
      .trim()
      .slice(0, maxLength)
      .toWellFormed()
  );
}

/** The last two lines of a program's stderr: ffmpeg says the reason in the one and the consequence in the other. */
export function lastWords(stderrTail: string): string {
  return plainLine(
    stderrTail
      .trim()
      .split(/[\r\n]+/)
      .slice(-2)
      .join("; "),
  );
}
