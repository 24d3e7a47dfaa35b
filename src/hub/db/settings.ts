/** What the hub remembers about itself: a few values that survive a restart. */
export interface Settings {
  get(name: string): Promise<string | undefined>;
  /** The value that is there, else `value`, which is stored. Of several at once one wins, and all hear its value. */
  getOrSet(name: string, value: string): Promise<string>;
}
