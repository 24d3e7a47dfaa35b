import { steps } from "./crashing-fs.ts";
import { liveOnce } from "./segment-life.ts";

/** `crash-child.ts FOLDER MEDIA record|repair`: prints the steps it took, one a line, when it lived to its end. */
const [folder = "", media = "", what] = process.argv.slice(2);
await liveOnce({ folder, media }, { record: what === "record" });
console.log(steps.join("\n"));
