import { type ArchivedFile, type FragmentRange, readArchiveIndex } from "./archive-file.ts";
import { messageOfCorrupt } from "./boxes.ts";
import { RegularFile } from "./regular-file.ts";
import { readFragment } from "./segment-scan.ts";

/** What can be played of a damaged archive file. */
export interface SalvagedFile {
  /** As its index has it, with all fragments there should be. */
  file: ArchivedFile;
  /** As it is. */
  sizeBytes: number;
  /** Neighbouring whole fragments, each stretch from a keyframe on; none when not one is whole. */
  stretches: readonly (readonly FragmentRange[])[];
}

/** As a scan of the spool: in so many bytes at the end the samples are looked at, since a crash may have left zeros. */
const checkTailBytes = 8 * 1024 * 1024;

/**
 * Looks at every fragment of a file that is cut off, too long, or has something else in its middle: about a read each.
 * A fragment is whole when it lies where the index says, its tables can be read and all its samples are in it; a bit
 * that turned inside of a picture is not found. Throws as `readArchiveFile` when the head itself is not whole.
 */
export async function salvageArchiveFile(path: string): Promise<SalvagedFile> {
  await using file = await RegularFile.open(path);
  const archived = await readArchiveIndex(file);
  const stretches: FragmentRange[][] = [];
  let stretch: FragmentRange[] | undefined;
  for (const range of archived.fragments) {
    if (!(await isWhole(file, archived, range))) {
      stretch = undefined;
    } else if (stretch !== undefined) {
      stretch.push(range);
    } else if (range.startsWithKeyframe) {
      stretch = [range];
      stretches.push(stretch);
    }
  }
  return { file: archived, sizeBytes: file.sizeBytes, stretches };
}

async function isWhole(file: RegularFile, { init }: ArchivedFile, range: FragmentRange): Promise<boolean> {
  const end = range.offset + range.sizeBytes;
  if (end > file.sizeBytes) return false;
  try {
    // The index may have joined some.
    for (let offset = range.offset; offset < end; ) {
      const fragment = await readFragment(file, offset, init, end > file.sizeBytes - checkTailBytes);
      offset += fragment.sizeBytes;
      if (offset > end) return false;
    }
    return true;
  } catch (error) {
    messageOfCorrupt(error);
    return false;
  }
}
