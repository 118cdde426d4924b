/** One place in the program, changed. */
export interface Edit {
  /** From the repository's root. */
  readonly file: string;
  /** Occurs once. */
  readonly find: string;
  readonly replace: string;
}

/** A bug that somebody might write. */
export interface PlantedBug {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** Each of them breaks a promise, and the simulation has to see it. Which seed does: found-bugs.json. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'the store does not look at the fence',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: 'if (row === undefined || row.epoch !== fence.epoch || row.seq !== fence.seq) {',
        replace: 'if (row === undefined) {',
      },
    ],
  },
  {
    name: 'the fence is read, and not held until the write',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: `    commit(id, fence, change) {
`,
        replace: `    commit(id, fence, change, seen = { ...core.packages.get(id) }) {
`,
      },
      {
        file: 'test/simulation/sim-store.ts',
        find: `            core.commit(id, fence, change, host);
`,
        replace: `            const isSeen = seen.epoch === fence.epoch && seen.seq === fence.seq;
            const { epoch, seq } = isSeen ? (core.packages.get(id) ?? fence) : fence;
            core.commit(id, { epoch, seq }, change, host);
`,
      },
    ],
  },
  {
    name: 'the lease alone is trusted: whatever fence the store has will do',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: '    const write = () => store.commit(travelPackage.id, { epoch, seq }, change);\n',
        replace: `    const write = async () => {
      const present = await store.versionedPackage(travelPackage.id);
      await store.commit(travelPackage.id, present?.fence ?? { epoch, seq }, change);
    };
`,
      },
    ],
  },
  {
    name: 'a unit is released twice: when its compensation begins, and when it has ended',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: `        draft.update(compensating);
`,
        replace: `        draft.update(compensating);
        this.#releaseUnit({ held: -1 });
`,
      },
    ],
  },
  {
    name: 'a saga says twice what it has done, and its word counts twice',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `    if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
`,
        replace: `    for (const _ of [1, 2]) if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
`,
      },
      {
        file: 'src/domain/decide.ts',
        find: `    if (!expected.includes(order.status)) return;
`,
        replace: '',
      },
    ],
  },
  {
    name: 'a saga of a former epoch speaks on, and is believed for whatever state the order is in',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `    if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
`,
        replace: `    this.#options.report(result, [...this.#events]);
`,
      },
      {
        file: 'src/domain/decide.ts',
        find: `    if (order === undefined || message.epoch !== draft.state.epoch) return;
    const expected = message.kind === 'compensated' ? ['compensating', 'cancelling'] : ['held'];
`,
        replace: `    if (order === undefined) return;
    const expected = ['held', 'compensating', 'cancelling'];
`,
      },
    ],
  },
  {
    name: 'an owed cancel is forgotten at a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "      else if (order.status !== 'queued') sagas.start('compensate', order);\n",
        replace: '',
      },
    ],
  },
  {
    name: 'what is held is not resumed at a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "if (order.status === 'held') sagas.start('book', order);",
        replace: "if (order.status === 'held') continue;",
      },
    ],
  },
  {
    name: 'a cancel goes out before its commit',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "  const ticketNumber = steps.note('flight', ticket);\n",
        replace:
          "  const ticketNumber = steps.note('flight', ticket);\n" +
          "  if (ticket.kind === 'unknown') void options.suppliers.cancel('flights', key, options.signal);\n",
      },
    ],
  },
  {
    name: 'sold out is said while units are held',
    edits: [
      {
        file: 'src/domain/travel-package.ts',
        find: '  return inventory.confirmed - inventory.cancelling >= quota;',
        replace: '  return inventory.confirmed - inventory.cancelling + inventory.held >= quota;',
      },
    ],
  },
  {
    name: 'sold out is said while a unit is on its way back',
    edits: [
      {
        file: 'src/domain/travel-package.ts',
        find: '  return inventory.confirmed - inventory.cancelling >= quota;',
        replace: '  return inventory.confirmed >= quota;',
      },
    ],
  },
  {
    name: 'the line stands back to front after a takeover',
    edits: [
      {
        file: 'src/domain/package-state.ts',
        find: '    for (const order of ownership.unfinished) this.#take(order);',
        replace: '    for (const order of [...ownership.unfinished].reverse()) this.#take(order);',
      },
      {
        file: 'src/domain/package-state.ts',
        find: `    if (last !== undefined && last.number >= number) throw new RangeError('numbers in the queue only grow');
`,
        replace: '',
      },
    ],
  },
  {
    name: 'who came last is served first',
    edits: [
      {
        file: 'src/domain/draft.ts',
        find: `    this.#committedQueue = state.queue[Symbol.iterator]();
`,
        replace: `    this.#committedQueue = [...state.queue].reverse()[Symbol.iterator]();
`,
      },
    ],
  },
  {
    name: 'a unit that returns is not given to the line',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: '    this.#draft.move({ ...from, remaining: 1 });\n    this.#serveQueue();',
        replace: '    this.#draft.move({ ...from, remaining: 1 });',
      },
    ],
  },
  {
    name: 'callers are answered before the commit',
    edits: [
      {
        file: 'src/engine/actor/activation.ts',
        find: '    await actor.commit(step);\n',
        replace:
          '    actor.runEffects({ ...step, change: undefined } as Step);\n    await actor.commit(step);\n',
      },
    ],
  },
  {
    name: 'a commit of unknown outcome counts as applied',
    edits: [
      {
        file: 'src/engine/actor/activation.ts',
        find: '    await actor.commit(step);\n',
        replace:
          '    await actor.commit(step).catch((error: unknown) => {\n      if (!(error instanceof CommitUnknownError)) throw error;\n    });\n',
      },
    ],
  },
  {
    name: 'a key is forgotten once the package is sold out',
    edits: [
      {
        file: 'src/engine/actor/actor-engine.ts',
        find: '    return (await this.answerByKey(request)) ?? refused(code);\n',
        replace: '    return refused(code);\n',
      },
    ],
  },
  {
    name: 'a key is not looked up in the store',
    edits: [
      {
        file: 'src/engine/commits.ts',
        find: '    if (message.key !== undefined) keys.push(message.key);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'what is in doubt is not looked up',
    edits: [
      {
        file: 'src/engine/commits.ts',
        find: '    if (message.inDoubt === true) ids.push(message.orderId);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a command that is sent again is not in doubt, and is dropped without another look',
    edits: [
      {
        file: 'src/engine/actor/routing/router.ts',
        find: `        sent = inDoubt(sent);
`,
        replace: '',
      },
      {
        file: 'src/engine/actor/activation.ts',
        find: '      if (!this.#doubted.has(message)) return this.#handleInDoubt(message);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a key shows another one’s order',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: "return order.email === email ? { kind: 'accepted', order } : { kind: 'refused', code: 'key_reused' };",
        replace: "return { kind: 'accepted', order };",
      },
    ],
  },
  {
    name: 'silence of a supplier counts as a refusal',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "    if (answer.kind === 'unknown') return this.#needsCompensation('supplier_silent', ticketNumber);\n",
        replace:
          "    if (answer.kind === 'unknown') return this.report({ kind: 'refused', reason: refused });\n",
      },
    ],
  },
  {
    name: 'a cancel is believed at its first try',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: '    if (await suppliers.cancel(kind, key, signal)) return;\n',
        replace: '    await suppliers.cancel(kind, key, signal);\n    return;\n',
      },
    ],
  },
  {
    name: 'only the flight is cancelled',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "    cancelUntilDone('hotels', order.id, options).then(() => steps.noteCancelled(order, 'hotel')),\n",
        replace: '',
      },
    ],
  },
  {
    name: 'another key at the suppliers after a takeover',
    edits: [
      {
        file: 'src/saga/saga-runner.ts',
        find: '    runner.run(kind, order, run).then(\n',
        replace: `    const again = { ...order, id: epoch === 1 ? orderId : \`\${orderId}-\${epoch}\` };
    runner.run(kind, kind === 'book' ? again : order, run).then(
`,
      },
    ],
  },
  {
    name: 'nobody adopts a package whose owner died',
    edits: [
      {
        file: 'src/engine/actor/placement.ts',
        find: '    for (const id of orphans.slice(0, perScan)) actors.wake(id);\n',
        replace: '    void orphans;\n',
      },
    ],
  },
  {
    name: 'an email is erased while its order is being booked',
    edits: [{ file: 'src/domain/operator-changes.ts', find: 'if (isSettled(order) && ', replace: 'if (' }],
  },
  {
    name: 'a quota may fall below what is held and sold',
    edits: [
      {
        file: 'src/domain/operator-changes.ts',
        find: "  if (next.quota < held + confirmed) return 'quota_too_low';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'the unit of a cancellation returns at once',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: '    draft.move({ cancelling: 1 });\n',
        replace: '    draft.move({ confirmed: -1, remaining: 1 });\n',
      },
    ],
  },
  {
    name: 'who hangs up leaves, whatever became of the order',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: `    if (order?.status === 'queued' && order.key === undefined) this.#leave(order);
`,
        replace: `    if (order !== undefined) this.#leave(order);
`,
      },
    ],
  },
  {
    name: 'an order is shown to whoever knows its number',
    edits: [
      {
        file: 'src/http/api/orders.ts',
        find: `  if (order === undefined || id === undefined || !matches) throw new ProblemError('unknown_order');
`,
        replace: `  if (order === undefined || id === undefined || (!matches && false)) throw new ProblemError('unknown_order');
`,
      },
    ],
  },
  {
    name: 'a miss tells that the number exists',
    edits: [
      {
        file: 'src/http/api/orders.ts',
        find: `  if (order === undefined || id === undefined || !matches) throw new ProblemError('unknown_order');
`,
        replace: `  if (order === undefined || id === undefined) throw new ProblemError('unknown_order');
  if (!matches) throw new ProblemError('unknown_order', { detail: 'Another email.' });
`,
      },
    ],
  },
  {
    name: 'an owner is looked for once a minute',
    edits: [
      {
        file: 'src/engine/actor/placement.ts',
        find: 'scanMs = 1_000',
        replace: 'scanMs = 60_000',
      },
    ],
  },
  {
    name: 'the hotel’s number is the flight’s',
    edits: [
      {
        file: 'src/domain/order.ts',
        find: 'hotel: { reservationNumber },',
        replace: 'hotel: { reservationNumber: ticketNumber },',
      },
    ],
  },
  {
    name: 'units are claimed while the sale is paused',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: 'return this.#suppliersAvailable && isOnSale && inventory.remaining > 0 && isWithinMax;',
        replace: 'return this.#suppliersAvailable && inventory.remaining > 0 && isWithinMax;',
      },
    ],
  },
  {
    name: 'an email has one order more than it may',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: 'return orders >= ordersPerEmail ?',
        replace: 'return orders > ordersPerEmail ?',
      },
    ],
  },
  {
    name: 'who leaves the line is told so, and stays',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: "return draft.answer(caller, { kind: 'accepted', order: this.#leave(order) });",
        replace: "return draft.answer(caller, { kind: 'accepted', order });",
      },
    ],
  },
  {
    name: 'held orders are given up at a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "if (order.status === 'held') sagas.start('book', order);",
        replace: `if (order.status === 'held')
        this.#shared.notify(state.package.id, {
          ...{ kind: 'needsCompensation', reason: 'supplier_silent', orderId: order.id, epoch: state.epoch, events: [] },
        });`,
      },
    ],
  },
  {
    name: 'an order forgets who bought it',
    edits: [
      {
        file: 'src/domain/order.ts',
        find: "return { ...order, status: 'held', timeline: log(order, at, 'claimed') };",
        replace: "return { ...order, email: '', status: 'held', timeline: log(order, at, 'claimed') };",
      },
    ],
  },
  {
    name: 'who came with a commit of unknown outcome is forgotten',
    edits: [
      {
        file: 'src/engine/actor/activation.ts',
        find: 'mailbox.putBack(interrupted.rest);',
        replace: "if (interrupted.end !== 'doubt') mailbox.putBack(interrupted.rest);",
      },
    ],
  },
];
