export interface MountEntry {
  /** Folder of the file system that is mounted; `/` for all of it. */
  root: string;
  folder: string;
  type: string;
  source: string;
  /** Of the file system: `vers`, `sec`, `addr`; those without a value have an empty one. */
  options: ReadonlyMap<string, string>;
}

/** `/proc/self/mountinfo`, see proc_pid_mountinfo(5). Lines that are none are left out. */
export function parseMountInfo(text: string): MountEntry[] {
  return text.split("\n").flatMap((line): MountEntry[] => {
    const [mount = "", fileSystem = ""] = line.split(" - ", 2);
    const [, , , root, folder] = mount.split(" ");
    const [type, source, options] = fileSystem.split(" ");
    if (!root || !folder || !type || source === undefined || options === undefined) return [];
    return [
      {
        root: unescapeField(root),
        folder: unescapeField(folder),
        type,
        source: unescapeField(source),
        options: new Map(options.split(",").map(splitOption)),
      },
    ];
  });
}

/** Blank, tab, newline and backslash are written in octal. */
function unescapeField(field: string): string {
  const bytes = Buffer.from(field).toString("latin1");
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(plain, "latin1").toString("utf8");
}

function splitOption(option: string): [name: string, value: string] {
  const end = option.indexOf("=");
  return end < 0 ? [option, ""] : [option.slice(0, end), option.slice(end + 1)];
}
