export interface Preview {
  image: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Cue extends Preview {
  fromSeconds: number;
  toSeconds: number;
}

/** WebVTT whose cues name a part of a picture, `previews.jpg#xywh=160,90,160,90` (W3C Media Fragments 4.2.2). */
export function parseCues(text: string, url: string): Cue[] {
  const cues: Cue[] = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    const times = /([\d:.]+)[ \t]+-->[ \t]+([\d:.]+)[^\n]*\n(\S+)/.exec(block);
    const part = /^(.+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/.exec(times?.[3] ?? "");
    if (!times || !part) continue;
    const [x = 0, y = 0, width = 0, height = 0] = part.slice(2).map(Number);
    cues.push({
      ...{ fromSeconds: secondsOf(times[1] ?? ""), toSeconds: secondsOf(times[2] ?? "") },
      ...{ image: new URL(part[1] ?? "", new URL(url, "http://hub")).pathname, x, y, width, height },
    });
  }
  return cues;
}

function secondsOf(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
