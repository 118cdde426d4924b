/** A bug that somebody might write: one place in the program, changed. */
export interface PlantedBug {
  readonly name: string;
  /** From `src`. */
  readonly file: string;
  /** Occurs once. */
  readonly find: string;
  readonly replace: string;
}

/** Each of them breaks a promise, and the simulation has to see it. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'the store does not look at the fence',
    file: 'testing/simulation/sim-store.ts',
    find: 'if (shelf === undefined || shelf.epoch !== fence.epoch || shelf.seq !== fence.seq) {',
    replace: 'if (shelf === undefined) {',
  },
  {
    name: 'the lease alone is trusted: a takeover raises no epoch',
    file: 'testing/simulation/sim-store.ts',
    find: '    shelf.epoch += 1;\n',
    replace: '',
  },
  {
    name: 'a saga’s word counts twice: the unit returns twice',
    file: 'booking/package-actor.ts',
    find: '    if (!expected.includes(order.status)) return;\n',
    replace: '',
  },
  {
    name: 'a saga of a former epoch is believed, for whatever state the order is in',
    file: 'booking/package-actor.ts',
    find: "    const expected = message.kind === 'cleared' ? ['compensating', 'cancelling'] : ['held'];",
    replace: "    const expected = ['compensating', 'cancelling', 'held'];",
  },
  {
    name: 'an owed cancel is forgotten at a takeover',
    file: 'booking/package-behaviour.ts',
    find: "      else if (order.status !== 'queued') this.#run('clear', state, order, signal);\n",
    replace: '',
  },
  {
    name: 'what is held is not resumed at a takeover',
    file: 'booking/package-behaviour.ts',
    find: "if (order.status === 'held') this.#run('book', state, order, signal);",
    replace: "if (order.status === 'held') continue;",
  },
  {
    name: 'a cancel goes out before its commit',
    file: 'booking/saga.ts',
    find: "  const ticketNumber = steps.note('flight', ticket);\n",
    replace:
      "  const ticketNumber = steps.note('flight', ticket);\n" +
      "  if (ticket.kind === 'unknown') void options.suppliers.cancel('flights', key, options.signal);\n",
  },
  {
    name: 'sold out is said while units are held',
    file: 'domain/travel-package.ts',
    find: '  return figures.confirmed - figures.cancelling >= quota;',
    replace: '  return figures.confirmed - figures.cancelling + figures.held >= quota;',
  },
  {
    name: 'sold out is said while a unit is on its way back',
    file: 'domain/travel-package.ts',
    find: '  return figures.confirmed - figures.cancelling >= quota;',
    replace: '  return figures.confirmed >= quota;',
  },
  {
    name: 'the line is lost at a takeover',
    file: 'booking/package-state.ts',
    find: '    for (const order of ownership.unfinished) this.#take(order);',
    replace: '    for (const order of [...ownership.unfinished].reverse()) this.#take(order);',
  },
  {
    name: 'who comes now is served before the line',
    file: 'booking/package-actor.ts',
    find: 'const isClaimed = this.#mayClaim() && draft.figures.waiting === 0;',
    replace: 'const isClaimed = this.#mayClaim();',
  },
  {
    name: 'a unit that returns is not given to the line',
    file: 'booking/package-actor.ts',
    find: '    this.#draft.move({ ...from, remaining: 1 });\n    this.#serveLine();',
    replace: '    this.#draft.move({ ...from, remaining: 1 });',
  },
  {
    name: 'callers are answered before the commit',
    file: 'actor/activation.ts',
    find: '    await behaviour.commit(state, step);\n',
    replace:
      '    behaviour.perform(state, { ...step, change: undefined } as Step, this.#ended);\n    await behaviour.commit(state, step);\n',
  },
  {
    name: 'a commit of unknown outcome counts as applied',
    file: 'actor/activation.ts',
    find: '    await behaviour.commit(state, step);\n',
    replace:
      '    await behaviour.commit(state, step).catch((error: unknown) => {\n      if (!(error instanceof CommitUnknownError)) throw error;\n    });\n',
  },
  {
    name: 'a key is forgotten once the package is sold out',
    file: 'booking/engine.ts',
    find: "    if (request.key === undefined) return { kind: 'refused', code };\n",
    replace: "    return { kind: 'refused', code };\n",
  },
  {
    name: 'a key is not looked up in the store',
    file: 'booking/recall.ts',
    find: '    if (message.key !== undefined) keys.push(message.key);\n',
    replace: '',
  },
  {
    name: 'what is in doubt is not looked up',
    file: 'booking/recall.ts',
    find: '    if (message.inDoubt === true) ids.push(message.orderId);\n',
    replace: '',
  },
  {
    name: 'silence of a supplier counts as a refusal',
    file: 'booking/saga.ts',
    find: "    if (answer.kind === 'unknown') return this.#owe('supplier_silent', ticketNumber);\n",
    replace: "    if (answer.kind === 'unknown') return this.report({ kind: 'refused', reason: refused });\n",
  },
  {
    name: 'a cancel is believed at its first try',
    file: 'booking/saga.ts',
    find: '    if (await suppliers.cancel(kind, key, signal)) return;\n',
    replace: '    await suppliers.cancel(kind, key, signal);\n    return;\n',
  },
  {
    name: 'only the flight is cancelled',
    file: 'booking/saga.ts',
    find: "    cancelUntilDone('hotels', order.id, options).then(() => steps.noteCancelled(order, 'hotel')),\n",
    replace: '',
  },
  {
    name: 'another key at the supplier after a takeover',
    file: 'booking/saga.ts',
    find: '  const ticket = await options.suppliers.reserveFlight({ key,',
    replace: '  const ticket = await options.suppliers.reserveFlight({ key: key + (options.clock.now() % 2),',
  },
  {
    name: 'nobody adopts a package whose owner died',
    file: 'actor/placement.ts',
    find: '    for (const id of orphans.slice(0, perScan)) actors.wake(id);\n',
    replace: '    void orphans;\n',
  },
  {
    name: 'a quota may fall below what is held and sold',
    file: 'booking/amend.ts',
    find: "  if (quota < held + confirmed) return draft.answer(caller, { kind: 'refused', code: 'quota_too_low' });\n",
    replace: '',
  },
  {
    name: 'the unit of a cancellation returns at once',
    file: 'booking/package-actor.ts',
    find: '        draft.move({ cancelling: 1 });\n',
    replace: '        draft.move({ confirmed: -1, remaining: 1 });\n',
  },
];
