/** `3 d 4 h`, `2 h 5 min`, `7 min`, `12 s` */
export function formatDuration(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const hours = Math.floor(seconds / 3600);
  if (hours === 0) return `${Math.round(seconds / 60)} min`;
  return hours >= 24
    ? `${Math.floor(hours / 24)} d ${hours % 24} h`
    : `${hours} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Powers of 1,000, as disks are sold: `2.1 GB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
