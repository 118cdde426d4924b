/**
 * The members in the order in which they are preferred as owner of an actor: rendezvous hashing (Thaler and
 * Ravishankar, 1998). Everybody who knows the same members gets the same order, and when one leaves only its own
 * actors move.
 */
export function preference(actor: number, members: readonly string[]): string[] {
  const ranked = members.map((member) => ({ member, weight: weigh(`${member}/${actor}`) }));
  ranked.sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1));
  return ranked.map(({ member }) => member);
}

/** FNV-1a with MurmurHash3's finalizer, which spreads what differs only in the last characters. */
function weigh(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
