/**
 * The members as owners of the actors. All instances with the same members compute the same ranks. A rank only balances
 * the load: the lease and the epoch decide which instance may act.
 */
export class Candidates {
  readonly #members: () => readonly string[];
  /** By member, the actors that it cannot own. */
  readonly #unable = new Map<string, ReadonlySet<number>>();

  /** @param members the current members */
  constructor(members: () => readonly string[]) {
    this.#members = members;
  }

  /** The member that should own the actor. Undefined without members. */
  preferred(actor: number, members = this.#members()): string | undefined {
    if (this.#unable.size > 0) return this.ranked(actor, members)[0];
    let preferred: string | undefined;
    let greatest = -1;
    for (const member of members) {
      const weight = weigh(`${member}/${actor}`);
      if (weight < greatest || (weight === greatest && preferred !== undefined && preferred < member))
        continue;
      preferred = member;
      greatest = weight;
    }
    return preferred;
  }

  /** The members in the order of preference. Members that cannot own the actor come last. */
  ranked(actor: number, members = this.#members()): string[] {
    const ranked = preference(actor, members);
    if (this.#unable.size === 0) return ranked;
    const isAble = (member: string) => this.isAble(member, actor);
    return [...ranked.filter(isAble), ...ranked.filter((member) => !isAble(member))];
  }

  /** Whether nothing is known that keeps the member from owning the actor. */
  isAble(member: string, actor: number): boolean {
    return this.#unable.get(member)?.has(actor) !== true;
  }

  /**
   * Notes actors that a member cannot own, in addition to the ones that are known. They are known until the member has
   * left. Returns whether one of them is new.
   */
  addUnable(member: string, actors: readonly number[]): boolean {
    const known = this.#unable.get(member) ?? new Set();
    const all = new Set([...known, ...actors]);
    if (all.size > 0) this.#unable.set(member, all);
    return all.size > known.size;
  }

  /** Replaces the actors that a member cannot own. */
  setUnable(member: string, actors: readonly number[]): void {
    if (actors.length === 0) this.#unable.delete(member);
    else this.#unable.set(member, new Set(actors));
  }

  /** Forgets the members that have left. After their return they may be able again. */
  forgetAbsent(): void {
    const members = this.#members();
    for (const member of this.#unable.keys()) if (!members.includes(member)) this.#unable.delete(member);
  }
}

/**
 * Ranks the members as owners of an actor, the preferred member first, by rendezvous hashing (Thaler and Ravishankar,
 * 1998). When a member leaves, only its actors move.
 */
export function preference(actor: number, members: readonly string[]): string[] {
  const ranked = members.map((member) => ({ member, weight: weigh(`${member}/${actor}`) }));
  ranked.sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1));
  return ranked.map(({ member }) => member);
}

/** FNV-1a with MurmurHash3's finalizer, which spreads texts that differ only in their last characters. */
function weigh(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
