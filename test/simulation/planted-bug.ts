/** A change of one place in the program. */
export interface Edit {
  /** Path from the repository's root. */
  readonly file: string;
  /** The text to replace. It must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A plausible bug. */
export interface PlantedBug {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Whether it is a bug of notices, so that only a simulation with notices finds it. */
  readonly ofNotices?: true;
}
